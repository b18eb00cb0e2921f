// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDataTokens} from "./IDataTokens.sol";

/// @dev What {TaskMarket} keeps, says and refuses.
interface ITaskMarket {
    enum ReportState {
        None,
        Succeeded,
        Failed,
        Canceled,
        Refused
    }

    struct Task {
        /// Zero: there is no such task.
        address demander;
        bool open;
    }

    struct Job {
        uint256 algorithm;
        uint96 task;
        address demander;
    }

    struct Report {
        bytes32 receiptDigest;
        ReportState state;
        address reporter;
        uint48 timestamp;
    }

    /// @dev All on chain that decides about a job, read at one block.
    struct JobTree {
        Job job;
        Task task;
        /// See {IDataTokens-tree}.
        IDataTokens.Node[] nodes;
        uint256 timestamp;
    }

    event TaskCreated(uint256 indexed task, address indexed demander, string name, string description);
    event TaskClosed(uint256 indexed task);
    event JobAdded(uint256 indexed job, uint256 indexed task, uint256 indexed algorithm, address demander);
    event JobReported(
        uint256 indexed job, uint256 indexed token, ReportState state, bytes32 receiptDigest, address reporter
    );

    error TaskUnknown(uint256 task);
    error TaskNotOpen(uint256 task);
    error TaskIncorrectDemander(address sender, uint256 task, address demander);
    error TaskTextTooLong(uint256 length, uint256 limit);
    error JobUnknown(uint256 job);

    /// @dev The path does not start at the algorithm of the job.
    error JobPathIncorrect(uint256 job, uint256 algorithm);

    /// @dev The sender is not the owner of the leaf that it reports for.
    error JobIncorrectReporter(address sender, uint256 job, uint256 token, address owner);

    /// @dev This share of the job has succeeded, and that is final.
    error JobAlreadySucceeded(uint256 job, uint256 token);

    /// @dev A report names one of the four states and the digest of a receipt.
    error JobReportEmpty(uint256 job, uint256 token);

    function createTask(string calldata name, string calldata description) external returns (uint256 task);

    function closeTask(uint256 task) external;

    function addJob(uint256 task, uint256 algorithm) external returns (uint256 job);

    function reportJob(uint256 job, uint256[] calldata path, ReportState state, bytes32 receiptDigest) external;

    function taskOf(uint256 task) external view returns (Task memory);

    function jobOf(uint256 job) external view returns (Job memory);

    /// @notice The last report of the owner of the leaf `token`; state None where there is none.
    function reportOf(uint256 job, uint256 token) external view returns (Report memory);

    /// @notice A job, its task, and the tree of its algorithm.
    function jobTree(uint256 job) external view returns (JobTree memory);
}
