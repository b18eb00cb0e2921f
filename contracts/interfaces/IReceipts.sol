// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What {Receipts} keeps, says and refuses.
interface IReceipts {
    enum ReportState {
        None,
        Succeeded,
        Failed,
        Canceled,
        Refused
    }

    /// @dev Known by the organization that anchored it and its root.
    struct Anchor {
        /// Zero: there is no such anchor.
        uint48 timestamp;
        /// How many receipts the organization says are below the root.
        uint32 count;
    }

    /// @dev What became of the share of one leaf.
    struct Report {
        uint256 job;
        /// The algorithm, …, the leaf: each a child of the one before.
        uint256[] path;
        ReportState state;
        /// Digest of the signed receipt.
        bytes32 receipt;
    }

    struct Reported {
        ReportState state;
        address reporter;
        uint48 timestamp;
    }

    event ReceiptsAnchored(address indexed by, bytes32 indexed root, uint32 count);

    /// @dev `root` is the anchor of the same transaction. The last event of a job and token is what became of that share.
    event JobReported(
        uint256 indexed job,
        uint256 indexed token,
        ReportState state,
        bytes32 receipt,
        address reporter,
        bytes32 indexed root
    );

    /// @dev No receipts have this root.
    error ReceiptsRootZero();

    /// @dev There is at least one receipt below a root, and one for each report.
    error ReceiptsCountTooSmall(uint32 count, uint256 reports);

    /// @dev The sender has anchored this root before, at `timestamp`: what was meant to be done is done.
    error ReceiptsAlreadyAnchored(bytes32 root, uint48 timestamp);

    /// @dev The path does not start at the algorithm of the job.
    error JobPathIncorrect(uint256 job, uint256 algorithm);

    /// @dev The sender is not the owner of the leaf that it reports for.
    error JobIncorrectReporter(address sender, uint256 job, uint256 token, address owner);

    /// @dev This share of the job has succeeded, and that is final.
    error JobAlreadySucceeded(uint256 job, uint256 token);

    /// @dev A report names one of the four states and the digest of a receipt.
    error JobReportEmpty(uint256 job, uint256 token);

    function anchor(bytes32 root, uint32 count, Report[] calldata reports) external;

    /// @notice When the organization anchored this root; timestamp zero where it has not.
    function anchorOf(address by, bytes32 root) external view returns (Anchor memory);

    /// @notice The last report of the owner of the leaf `token`; state None where there is none.
    function reportOf(uint256 job, uint256 token) external view returns (Reported memory);

    /// @notice Whether the organization has anchored a receipt with this digest below this root.
    function verify(address by, bytes32 root, bytes32 receipt, bytes32[] calldata proof) external view returns (bool);
}
