// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {OrganizationGated} from "../access/OrganizationGated.sol";
import {AGGREGATOR_ROLE} from "../access/Roles.sol";
import {IDataTokens} from "../interfaces/IDataTokens.sol";
import {ITaskMarket} from "../interfaces/ITaskMarket.sol";

/**
 * @title Tasks, and the jobs that are run for them
 * @notice A demander opens a task and adds jobs, each a run of an algorithm that it owns. The owner of every leaf of
 * the algorithm runs a share and tells {Receipts} what became of it.
 */
contract TaskMarket is OrganizationGated, ITaskMarket {
    uint256 private constant TEXT_LIMIT = 4096;

    /// @inheritdoc ITaskMarket
    IDataTokens public immutable tokens;

    uint96 private _taskCount;
    uint96 private _jobCount;
    mapping(uint256 task => Task) private _tasks;
    mapping(uint256 job => Job) private _jobs;

    constructor(IAccessControl organizations_, IDataTokens tokens_) OrganizationGated(organizations_) {
        tokens = tokens_;
    }

    /**
     * @notice Opens a task. Its texts are in the event only.
     *
     * Requirements:
     * - the sender has the aggregator role;
     * - name and description have at most 4096 bytes together.
     */
    function createTask(string calldata name, string calldata description)
        external
        onlyOrganizationWith(AGGREGATOR_ROLE)
        returns (uint256 task)
    {
        uint256 length = bytes(name).length + bytes(description).length;
        if (length > TEXT_LIMIT) revert TaskTextTooLong(length, TEXT_LIMIT);
        task = ++_taskCount;
        _tasks[task] = Task(msg.sender, true);
        emit TaskCreated(task, msg.sender, name, description);
    }

    /**
     * @notice Ends a task: no job can be added any more. Jobs that were added go on.
     *
     * Requirements:
     * - the sender created the task, and it is open.
     */
    function closeTask(uint256 task) external {
        _requireOpen(task).open = false;
        emit TaskClosed(task);
    }

    /**
     * @notice Asks for one run of an algorithm.
     *
     * Requirements:
     * - the sender has the aggregator role, created the task and owns the algorithm;
     * - the task is open;
     * - the algorithm is an activated composite with a live grant at every level.
     */
    function addJob(uint256 task, uint256 algorithm)
        external
        onlyOrganizationWith(AGGREGATOR_ROLE)
        returns (uint256 job)
    {
        _requireOpen(task);
        tokens.requireRunnable(algorithm, msg.sender);
        job = ++_jobCount;
        // casting to uint96 is safe because the task is known, so its id is at most `_taskCount`
        // forge-lint: disable-next-line(unsafe-typecast)
        _jobs[job] = Job(algorithm, uint96(task), msg.sender);
        emit JobAdded(job, task, algorithm, msg.sender);
    }

    /// @inheritdoc ITaskMarket
    function taskOf(uint256 task) public view returns (Task memory found) {
        found = _tasks[task];
        if (found.demander == address(0)) revert TaskUnknown(task);
    }

    /// @inheritdoc ITaskMarket
    function jobOf(uint256 job) external view returns (Job memory) {
        return _requireJob(job);
    }

    /// @inheritdoc ITaskMarket
    function jobTree(uint256 job) external view returns (JobTree memory found) {
        found.job = _requireJob(job);
        found.task = _tasks[found.job.task];
        (found.nodes, found.timestamp) = tokens.tree(found.job.algorithm);
    }

    function _requireOpen(uint256 task) private view returns (Task storage found) {
        found = _tasks[task];
        if (found.demander == address(0)) revert TaskUnknown(task);
        if (found.demander != msg.sender) revert TaskIncorrectDemander(msg.sender, task, found.demander);
        if (!found.open) revert TaskNotOpen(task);
    }

    function _requireJob(uint256 job) private view returns (Job storage found) {
        found = _jobs[job];
        if (found.demander == address(0)) revert JobUnknown(job);
    }
}
