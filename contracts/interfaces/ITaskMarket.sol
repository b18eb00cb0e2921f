// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDataTokens} from "./IDataTokens.sol";

/// @dev What {TaskMarket} keeps, says and refuses.
interface ITaskMarket {
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

    error TaskUnknown(uint256 task);
    error TaskNotOpen(uint256 task);
    error TaskIncorrectDemander(address sender, uint256 task, address demander);
    error TaskTextTooLong(uint256 length, uint256 limit);
    error JobUnknown(uint256 job);

    /// @notice Where the algorithms are.
    function tokens() external view returns (IDataTokens);

    function createTask(string calldata name, string calldata description) external returns (uint256 task);

    function closeTask(uint256 task) external;

    function addJob(uint256 task, uint256 algorithm) external returns (uint256 job);

    function taskOf(uint256 task) external view returns (Task memory);

    function jobOf(uint256 job) external view returns (Job memory);

    /// @notice A job, its task, and the tree of its algorithm.
    function jobTree(uint256 job) external view returns (JobTree memory);
}
