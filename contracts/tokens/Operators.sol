// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {OrganizationGated} from "../access/OrganizationGated.sol";
import {ADMIN_ROLE} from "../access/Roles.sol";
import {IOperators} from "../interfaces/IOperators.sol";
import {DocumentToken} from "./DocumentToken.sol";

/**
 * @title Published operators: code that a data owner can agree to
 * @notice An operator is published, given new versions and at last retired by the system administrator. Each version is
 * known by the digest of its document, which holds the digest of the code.
 *
 * NOTE: Holding the token says who published it (or to whom it was handed) and gives no right to change it. Otherwise
 * the sale of a token could change code that data owners have agreed to.
 */
contract Operators is DocumentToken, OrganizationGated, IOperators {
    struct Status {
        uint64 version;
        bool retired;
    }

    mapping(uint256 operator => bytes32 digest) private _digests;
    mapping(uint256 operator => Status status) private _statuses;

    constructor(IAccessControl organizations_) ERC721("Operator", "DTOP") OrganizationGated(organizations_) {}

    /**
     * @notice Publishes version 1 of a new operator.
     *
     * Requirements:
     * - the sender is the system administrator and has not used the salt before;
     * - the digest is not zero.
     */
    function publish(bytes32 salt, bytes32 digest)
        external
        onlyOrganizationWith(ADMIN_ROLE)
        returns (uint256 operator)
    {
        operator = deriveId(msg.sender, salt);
        if (_ownerOf(operator) != address(0)) revert OperatorExists(operator);
        if (digest == 0) revert OperatorDigestZero(operator);
        _digests[operator] = digest;
        _statuses[operator].version = 1;
        _mint(msg.sender, operator);
        emit OperatorPublished(operator, msg.sender, digest);
    }

    /**
     * @notice Publishes the next version.
     *
     * Requirements:
     * - the sender is the system administrator;
     * - the operator exists and is not retired;
     * - the digest is not zero.
     */
    function update(uint256 operator, bytes32 digest)
        external
        onlyOrganizationWith(ADMIN_ROLE)
        returns (uint64 version)
    {
        Status storage status = _requireActive(operator);
        if (digest == 0) revert OperatorDigestZero(operator);
        version = ++status.version;
        _digests[operator] = digest;
        emit OperatorUpdated(operator, digest, version);
    }

    /**
     * @notice Ends an operator: daemons refuse it from now on. This cannot be undone.
     *
     * Requirements:
     * - the sender is the system administrator;
     * - the operator exists and is not retired.
     */
    function retire(uint256 operator) external onlyOrganizationWith(ADMIN_ROLE) {
        _requireActive(operator).retired = true;
        emit OperatorRetired(operator);
    }

    /// @inheritdoc IOperators
    function operatorsOf(uint256[] calldata operators) external view returns (Operator[] memory records) {
        records = new Operator[](operators.length);
        for (uint256 i = 0; i < operators.length; ++i) {
            uint256 operator = operators[i];
            Status storage status = _statuses[operator];
            records[i] = Operator(_ownerOf(operator), _digests[operator], status.version, status.retired);
        }
    }

    /// @inheritdoc DocumentToken
    function digestOf(uint256 operator) public view override returns (bytes32) {
        return _digests[operator];
    }

    function _requireActive(uint256 operator) private view returns (Status storage status) {
        _requireOwned(operator);
        status = _statuses[operator];
        if (status.retired) revert OperatorAlreadyRetired(operator);
    }
}
