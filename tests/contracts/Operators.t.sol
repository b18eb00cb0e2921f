// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ADMIN_ROLE} from "../../contracts/access/Roles.sol";
import {IOperators} from "../../contracts/interfaces/IOperators.sol";
import {ToolkitTest} from "./ToolkitTest.sol";
import {vm} from "./Vm.sol";

contract OperatorsTest is ToolkitTest {
    function test_publish_update_retire() public {
        uint256 operator = _publish("a");
        assert(operator == operators.deriveId(ADMIN, "a"));
        _expect(operator, IOperators.Operator(ADMIN, DIGEST, 1, false));

        vm.expectEmit(true, true, true, true, address(operators));
        emit IOperators.OperatorUpdated(operator, "second", 2);
        vm.prank(ADMIN);
        assert(operators.update(operator, "second") == 2);
        _expect(operator, IOperators.Operator(ADMIN, "second", 2, false));

        vm.expectEmit(true, true, true, true, address(operators));
        emit IOperators.OperatorRetired(operator);
        vm.prank(ADMIN);
        operators.retire(operator);
        _expect(operator, IOperators.Operator(ADMIN, "second", 2, true));
    }

    function test_retired_is_for_ever() public {
        uint256 operator = _publish("a");
        vm.startPrank(ADMIN);
        operators.retire(operator);
        vm.expectRevert(abi.encodeWithSelector(IOperators.OperatorAlreadyRetired.selector, operator));
        operators.update(operator, DIGEST);
        vm.expectRevert(abi.encodeWithSelector(IOperators.OperatorAlreadyRetired.selector, operator));
        operators.retire(operator);
    }

    function test_refuses_repeats_zeros_and_unknown() public {
        uint256 operator = _publish("a");
        vm.startPrank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(IOperators.OperatorExists.selector, operator));
        operators.publish("a", DIGEST);
        vm.expectRevert(abi.encodeWithSelector(IOperators.OperatorDigestZero.selector, operators.deriveId(ADMIN, "b")));
        operators.publish("b", 0);
        vm.expectRevert(abi.encodeWithSelector(IOperators.OperatorDigestZero.selector, operator));
        operators.update(operator, 0);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 7));
        operators.retire(7);
    }

    /// @dev Neither a stranger, nor who bought the token: code that others agreed to is not for sale.
    function testFuzz_only_the_administrator_changes_operators(address sender) public {
        vm.assume(sender != ADMIN && sender != address(0));
        uint256 operator = _publish("a");
        vm.prank(ADMIN);
        operators.transferFrom(ADMIN, sender, operator);
        bytes memory refused =
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, sender, ADMIN_ROLE);
        vm.startPrank(sender);
        vm.expectRevert(refused);
        operators.update(operator, "other");
        vm.expectRevert(refused);
        operators.retire(operator);
        vm.expectRevert(refused);
        operators.publish("b", DIGEST);
    }

    function test_uri_is_the_cid_of_the_document() public {
        uint256 operator = _publish("a");
        bytes memory prefix = "ipfs://f01551220";
        bytes memory uri = bytes(operators.tokenURI(operator));
        assert(uri.length == prefix.length + 64);
        for (uint256 i = 0; i < prefix.length; ++i) {
            assert(uri[i] == prefix[i]);
        }
        // The hex digits after the prefix are those of the digest.
        uint256 value = 0;
        for (uint256 i = prefix.length; i < uri.length; ++i) {
            uint8 digit = uint8(uri[i]);
            value = value * 16 + (digit >= 97 ? digit - 87 : digit - 48);
        }
        assert(bytes32(value) == DIGEST);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 7));
        operators.tokenURI(7);
    }

    function _publish(bytes32 salt) private returns (uint256) {
        vm.prank(ADMIN);
        return operators.publish(salt, DIGEST);
    }

    function _expect(uint256 operator, IOperators.Operator memory expected) private view {
        uint256[] memory ids = _list(operator, 1);
        IOperators.Operator[] memory records = operators.operatorsOf(ids);
        assert(keccak256(abi.encode(records[0])) == keccak256(abi.encode(expected)));
        assert(records[1].owner == address(0));
    }
}
