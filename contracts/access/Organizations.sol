// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IOrganizations} from "../interfaces/IOrganizations.sol";
import {CodeStorage} from "./CodeStorage.sol";
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
        /// Where {CodeStorage} has the length of the name in one byte, the name, the description.
        address texts;
        string url;
        bytes32 linkKey;
    }

    uint256 private constant NAME_LIMIT = 255;
    uint256 private constant DESCRIPTION_LIMIT = 4096;
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
     * - name, description and URL have at most 255, 4096 and 256 bytes.
     */
    function register(address organization, Organization calldata record) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (organization == address(0)) revert OrganizationAddressZero();
        if (bytes(record.name).length == 0) revert OrganizationNameEmpty(organization);
        _requireShort(record.name, NAME_LIMIT);
        _requireShort(record.description, DESCRIPTION_LIMIT);
        _requireShort(record.url, URL_LIMIT);
        Entry storage entry = _entries[organization];
        entry.texts =
            CodeStorage.write(abi.encodePacked(uint8(bytes(record.name).length), record.name, record.description));
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
        if (entry.texts == address(0)) revert OrganizationUnknown(msg.sender);
        _requireShort(url, URL_LIMIT);
        entry.url = url;
        entry.linkKey = linkKey;
        _emitRecorded(msg.sender);
    }

    /// @notice Gives a role back. For an organization the changed record is told like any other change.
    function renounceRole(bytes32 role, address callerConfirmation) public override {
        super.renounceRole(role, callerConfirmation);
        if (role != DEFAULT_ADMIN_ROLE && _entries[msg.sender].texts != address(0)) _emitRecorded(msg.sender);
    }

    /// @inheritdoc IOrganizations
    function isRegistered(address account) external view returns (bool) {
        return _entries[account].texts != address(0);
    }

    /// @inheritdoc IOrganizations
    function organizationsOf(address[] calldata accounts) external view returns (Organization[] memory records) {
        records = new Organization[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            records[i] = _recordOf(accounts[i]);
        }
    }

    function _recordOf(address account) private view returns (Organization memory record) {
        Entry storage entry = _entries[account];
        address texts = entry.texts;
        if (texts == address(0)) return record;
        uint256 nameEnd = 1 + uint256(uint8(CodeStorage.read(texts, 0, 1)[0]));
        record.name = string(CodeStorage.read(texts, 1, nameEnd));
        record.description = string(CodeStorage.read(texts, nameEnd, CodeStorage.length(texts)));
        record.url = entry.url;
        record.linkKey = entry.linkKey;
        record.isAggregator = hasRole(AGGREGATOR_ROLE, account);
        record.isProvider = hasRole(PROVIDER_ROLE, account);
    }

    function _emitRecorded(address account) private {
        Organization memory o = _recordOf(account);
        emit OrganizationRecorded(account, o.name, o.description, o.url, o.linkKey, o.isAggregator, o.isProvider);
    }

    function _setRole(bytes32 role, address account, bool held) private {
        if (held) _grantRole(role, account);
        else _revokeRole(role, account);
    }

    function _requireShort(string calldata text, uint256 limit) private pure {
        if (bytes(text).length > limit) revert OrganizationTextTooLong(bytes(text).length, limit);
    }
}
