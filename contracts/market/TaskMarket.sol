// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {OrganizationGated} from "../access/OrganizationGated.sol";
import {AGGREGATOR_ROLE} from "../access/Roles.sol";
import {IDataTokens} from "../interfaces/IDataTokens.sol";
import {ITaskMarket} from "../interfaces/ITaskMarket.sol";

/**
 * @title Tasks, the jobs that are run for them, and what became of each share
 * @notice A demander opens a task and adds jobs, each a run of an algorithm that it owns. The owner of every leaf of
 * the algorithm runs a share and reports it with the digest of a signed receipt.
 */
contract TaskMarket is OrganizationGated, ITaskMarket {
    uint256 private constant TEXT_LIMIT = 4096;

    /// @notice Where the algorithms are.
    IDataTokens public immutable tokens;

    uint96 private _taskCount;
    uint96 private _jobCount;
    mapping(uint256 task => Task) private _tasks;
    mapping(uint256 job => Job) private _jobs;
    mapping(uint256 job => mapping(uint256 token => Report)) private _reports;

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

    /**
     * @notice Says what became of the share of one leaf. Anything but a success may be replaced by a later report, after
     * a rerun; a success is final. A grant that has died since does not matter: what has happened can be told.
     * @param path The algorithm, …, the leaf: each a child of the one before.
     *
     * Requirements:
     * - the job exists and the path starts at its algorithm and ends at a leaf that the sender owns now;
     * - the state and the digest are given;
     * - no success was reported for this leaf.
     */
    function reportJob(uint256 job, uint256[] calldata path, ReportState state, bytes32 receiptDigest) external {
        uint256 algorithm = _requireJob(job).algorithm;
        if (path.length == 0 || path[0] != algorithm) revert JobPathIncorrect(job, algorithm);
        uint256 token = path[path.length - 1];
        address owner = tokens.leafOwner(path);
        if (owner != msg.sender) revert JobIncorrectReporter(msg.sender, job, token, owner);
        if (state == ReportState.None || receiptDigest == 0) revert JobReportEmpty(job, token);
        Report storage report = _reports[job][token];
        if (report.state == ReportState.Succeeded) revert JobAlreadySucceeded(job, token);
        _reports[job][token] = Report(receiptDigest, state, msg.sender, uint48(block.timestamp));
        emit JobReported(job, token, state, receiptDigest, msg.sender);
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
    function reportOf(uint256 job, uint256 token) external view returns (Report memory) {
        return _reports[job][token];
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
