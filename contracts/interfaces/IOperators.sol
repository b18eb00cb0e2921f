// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What {Operators} keeps, says and refuses.
interface IOperators {
    struct Operator {
        /// Zero: there is no such operator.
        address owner;
        /// SHA-256 of the document of the current version.
        bytes32 digest;
        /// Counts from 1.
        uint64 version;
        bool retired;
    }

    event OperatorPublished(uint256 indexed operator, address indexed owner, bytes32 digest);
    event OperatorUpdated(uint256 indexed operator, bytes32 digest, uint64 version);
    event OperatorRetired(uint256 indexed operator);

    /// @dev The sender has published an operator with this salt before.
    error OperatorExists(uint256 operator);

    /// @dev Retired is for ever.
    error OperatorAlreadyRetired(uint256 operator);

    /// @dev No document has this digest.
    error OperatorDigestZero(uint256 operator);

    function publish(bytes32 salt, bytes32 digest) external returns (uint256 operator);

    function update(uint256 operator, bytes32 digest) external returns (uint64 version);

    function retire(uint256 operator) external;

    /// @notice The records in the order asked; a zero owner where there is none.
    function operatorsOf(uint256[] calldata operators) external view returns (Operator[] memory records);
}
