// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IOrganizations} from "../interfaces/IOrganizations.sol";
import {AGGREGATOR_ROLE, PROVIDER_ROLE} from "./Roles.sol";

/**
 * @title Registry of legal entities and their roles
 * @notice One address is one organization. The system administrator (DEFAULT_ADMIN_ROLE) decides who is in and what
 * roles it holds; an organization itself says where its daemon is.
 *
 * NOTE: AGGREGATOR_ROLE and PROVIDER_ROLE are administered by a role that nobody can hold, so {grantRole} and
 * {revokeRole} do not work for them and {register} is the only way. Thus {OrganizationRecorded} is the whole truth.
 */
contract Organizations is AccessControl, IOrganizations {
    struct Entry {
        string name;
        string description;
        string url;
        bytes32 linkKey;
    }

    uint256 private constant URL_LIMIT = 256;
    bytes32 private constant NOBODY = keccak256("NOBODY");

    mapping(address organization => Entry entry) private _entries;

    constructor(address admin) {
        if (admin == address(0)) revert OrganizationAddressZero();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _setRoleAdmin(AGGREGATOR_ROLE, NOBODY);
        _setRoleAdmin(PROVIDER_ROLE, NOBODY);
    }

    /**
     * @notice Registers an organization, or replaces everything that is known of it, roles included.
     *
     * Requirements:
     * - the sender is the system administrator;
     * - the address is not zero and the name is not empty;
     * - the URL has at most 256 bytes.
     */
    function register(address organization, Organization calldata record) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (organization == address(0)) revert OrganizationAddressZero();
        if (bytes(record.name).length == 0) revert OrganizationNameEmpty(organization);
        _requireShort(record.url);
        Entry storage entry = _entries[organization];
        entry.name = record.name;
        entry.description = record.description;
        entry.url = record.url;
        entry.linkKey = record.linkKey;
        _setRole(AGGREGATOR_ROLE, organization, record.isAggregator);
        _setRole(PROVIDER_ROLE, organization, record.isProvider);
        emit OrganizationRecorded(
            organization,
            record.name,
            record.description,
            record.url,
            record.linkKey,
            record.isAggregator,
            record.isProvider
        );
    }

    /**
     * @notice Changes where the daemon of the sender is, and the key that authenticates its links.
     *
     * Requirements:
     * - the sender is a registered organization;
     * - the URL has at most 256 bytes.
     */
    function updateEndpoint(string calldata url, bytes32 linkKey) external {
        Entry storage entry = _entries[msg.sender];
        if (bytes(entry.name).length == 0) revert OrganizationUnknown(msg.sender);
        _requireShort(url);
        entry.url = url;
        entry.linkKey = linkKey;
        _emitRecorded(msg.sender);
    }

    /// @notice Gives a role back. For an organization the changed record is told like any other change.
    function renounceRole(bytes32 role, address callerConfirmation) public override {
        super.renounceRole(role, callerConfirmation);
        if (role != DEFAULT_ADMIN_ROLE && bytes(_entries[msg.sender].name).length != 0) _emitRecorded(msg.sender);
    }

    /// @inheritdoc IOrganizations
    function organizationsOf(address[] calldata accounts) external view returns (Organization[] memory records) {
        records = new Organization[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            records[i] = _recordOf(accounts[i]);
        }
    }

    function _recordOf(address account) private view returns (Organization memory) {
        Entry storage entry = _entries[account];
        return Organization({
            name: entry.name,
            description: entry.description,
            url: entry.url,
            linkKey: entry.linkKey,
            isAggregator: hasRole(AGGREGATOR_ROLE, account),
            isProvider: hasRole(PROVIDER_ROLE, account)
        });
    }

    function _emitRecorded(address account) private {
        Organization memory o = _recordOf(account);
        emit OrganizationRecorded(account, o.name, o.description, o.url, o.linkKey, o.isAggregator, o.isProvider);
    }

    function _setRole(bytes32 role, address account, bool held) private {
        if (held) _grantRole(role, account);
        else _revokeRole(role, account);
    }

    function _requireShort(string calldata url) private pure {
        if (bytes(url).length > URL_LIMIT) revert OrganizationUrlTooLong(bytes(url).length, URL_LIMIT);
    }
}
