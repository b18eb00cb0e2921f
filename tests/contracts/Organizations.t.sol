// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Organizations} from "../../contracts/access/Organizations.sol";
import {ADMIN_ROLE, AGGREGATOR_ROLE, PROVIDER_ROLE} from "../../contracts/access/Roles.sol";
import {IOrganizations} from "../../contracts/interfaces/IOrganizations.sol";
import {ToolkitTest} from "./ToolkitTest.sol";
import {vm} from "./Vm.sol";

contract OrganizationsTest is ToolkitTest {
    function test_registration_stores_and_tells_everything() public {
        IOrganizations.Organization memory record = _record(true, true);
        vm.expectEmit(true, true, true, true, address(organizations));
        emit IOrganizations.OrganizationRecorded(
            STRANGER, record.name, record.description, record.url, record.linkKey, true, true
        );
        _register(STRANGER, true, true);
        assert(keccak256(abi.encode(_read(STRANGER))) == keccak256(abi.encode(record)));
    }

    function test_second_registration_replaces_everything() public {
        IOrganizations.Organization memory record = IOrganizations.Organization("B", "", "", 0, true, false);
        vm.prank(ADMIN);
        organizations.register(BANK, record);
        assert(keccak256(abi.encode(_read(BANK))) == keccak256(abi.encode(record)));
        assert(!organizations.hasRole(PROVIDER_ROLE, BANK));
        assert(organizations.hasRole(AGGREGATOR_ROLE, BANK));
    }

    function test_endpoint_is_the_organizations_own() public {
        vm.prank(BANK);
        organizations.updateEndpoint("https://b.example", bytes32(uint256(9)));
        IOrganizations.Organization memory record = _read(BANK);
        assert(keccak256(bytes(record.url)) == keccak256("https://b.example"));
        assert(record.linkKey == bytes32(uint256(9)) && record.isProvider);

        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IOrganizations.OrganizationUnknown.selector, STRANGER));
        organizations.updateEndpoint("https://b.example", 0);
    }

    function test_refuses_empty_and_oversized_fields() public {
        IOrganizations.Organization memory record = _record(false, true);
        vm.expectRevert(abi.encodeWithSelector(IOrganizations.OrganizationAddressZero.selector));
        vm.prank(ADMIN);
        organizations.register(address(0), record);

        record.url = string(new bytes(257));
        _expectTooLong(record, 257, 256);
        record.description = string(new bytes(4097));
        _expectTooLong(record, 4097, 4096);
        record.name = string(new bytes(256));
        _expectTooLong(record, 256, 255);

        record.name = "";
        vm.expectRevert(abi.encodeWithSelector(IOrganizations.OrganizationNameEmpty.selector, BANK));
        vm.prank(ADMIN);
        organizations.register(BANK, record);

        vm.expectRevert(abi.encodeWithSelector(IOrganizations.OrganizationTextTooLong.selector, 300, 256));
        vm.prank(BANK);
        organizations.updateEndpoint(string(new bytes(300)), 0);

        vm.expectRevert(abi.encodeWithSelector(IOrganizations.OrganizationAddressZero.selector));
        new Organizations(address(0));
    }

    function testFuzz_texts_come_back_as_they_were(string memory name, string memory description, string memory url)
        public
    {
        vm.assume(bytes(name).length > 0 && bytes(name).length <= 255);
        vm.assume(bytes(description).length <= 4096 && bytes(url).length <= 256);
        IOrganizations.Organization memory record =
            IOrganizations.Organization(name, description, url, keccak256(bytes(url)), true, false);
        vm.prank(ADMIN);
        organizations.register(STRANGER, record);
        assert(keccak256(abi.encode(_read(STRANGER))) == keccak256(abi.encode(record)));
    }

    function test_longest_texts_fit() public {
        IOrganizations.Organization memory record = IOrganizations.Organization(
            string(new bytes(255)), string(new bytes(4096)), string(new bytes(256)), 0, true, false
        );
        vm.prank(ADMIN);
        organizations.register(STRANGER, record);
        assert(keccak256(abi.encode(_read(STRANGER))) == keccak256(abi.encode(record)));
    }

    function testFuzz_only_the_administrator_registers(address sender) public {
        vm.assume(sender != ADMIN);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, sender, ADMIN_ROLE)
        );
        vm.prank(sender);
        organizations.register(sender, _record(true, true));
    }

    /// @dev Otherwise roles could change without an {OrganizationRecorded}.
    function test_roles_come_from_registration_alone() public {
        bytes32 nobody = organizations.getRoleAdmin(PROVIDER_ROLE);
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, ADMIN, nobody));
        vm.prank(ADMIN);
        organizations.grantRole(PROVIDER_ROLE, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, ADMIN, nobody));
        vm.prank(ADMIN);
        organizations.revokeRole(AGGREGATOR_ROLE, UNION);
    }

    function test_a_role_given_back_is_told_with_the_record() public {
        IOrganizations.Organization memory record = _record(false, false);
        vm.expectEmit(true, true, true, true, address(organizations));
        emit IOrganizations.OrganizationRecorded(
            BANK, record.name, record.description, record.url, record.linkKey, false, false
        );
        vm.prank(BANK);
        organizations.renounceRole(PROVIDER_ROLE, BANK);
        assert(!_read(BANK).isProvider);

        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlBadConfirmation.selector));
        vm.prank(BANK);
        organizations.renounceRole(PROVIDER_ROLE, CLINIC);
    }

    function test_the_administrator_can_hand_over() public {
        vm.prank(ADMIN);
        organizations.grantRole(ADMIN_ROLE, STRANGER);
        vm.prank(ADMIN);
        organizations.renounceRole(ADMIN_ROLE, ADMIN);
        vm.prank(STRANGER);
        organizations.register(BANK, _record(true, true));
        assert(_read(BANK).isAggregator);
    }

    function test_unknown_organizations_are_empty() public view {
        assert(bytes(_read(STRANGER).name).length == 0);
    }

    function _expectTooLong(IOrganizations.Organization memory record, uint256 length, uint256 limit) private {
        vm.expectRevert(abi.encodeWithSelector(IOrganizations.OrganizationTextTooLong.selector, length, limit));
        vm.prank(ADMIN);
        organizations.register(BANK, record);
    }

    function _read(address account) private view returns (IOrganizations.Organization memory) {
        address[] memory accounts = new address[](1);
        accounts[0] = account;
        return organizations.organizationsOf(accounts)[0];
    }
}
