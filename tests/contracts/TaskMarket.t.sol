// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {AGGREGATOR_ROLE} from "../../contracts/access/Roles.sol";
import {IDataTokens} from "../../contracts/interfaces/IDataTokens.sol";
import {ITaskMarket} from "../../contracts/interfaces/ITaskMarket.sol";
import {ToolkitTest} from "./ToolkitTest.sol";
import {vm} from "./Vm.sol";

contract TaskMarketTest is ToolkitTest {
    uint256 private bankLeaf;
    uint256 private clinicLeaf;
    uint256 private union;
    uint256 private algorithm;
    uint256 private task;

    function setUp() public override {
        super.setUp();
        bankLeaf = _leaf(BANK);
        clinicLeaf = _leaf(CLINIC);
        union = _activated(UNION, _list(clinicLeaf));
        algorithm = _activated(THIRD, _list(bankLeaf, union));
        vm.prank(THIRD);
        task = market.createTask("Risk model", "Which loans will be paid back?");
    }

    function test_tasks_count_from_one_and_are_told() public {
        assert(task == 1);
        vm.expectEmit(true, true, true, true, address(market));
        emit ITaskMarket.TaskCreated(2, UNION, "Second", "");
        vm.prank(UNION);
        assert(market.createTask("Second", "") == 2);
        assert(market.taskOf(2).demander == UNION && market.taskOf(2).open);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TaskUnknown.selector, 3));
        market.taskOf(3);
    }

    function test_tasks_take_the_role_and_short_texts() public {
        _expectRole(BANK);
        vm.prank(BANK);
        market.createTask("a", "b");
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TaskTextTooLong.selector, 4097, 4096));
        vm.prank(THIRD);
        market.createTask(string(new bytes(1)), string(new bytes(4096)));
    }

    function test_closing_is_the_demanders_and_once() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TaskIncorrectDemander.selector, UNION, task, THIRD));
        vm.prank(UNION);
        market.closeTask(task);
        vm.expectEmit(true, true, true, true, address(market));
        emit ITaskMarket.TaskClosed(task);
        vm.startPrank(THIRD);
        market.closeTask(task);
        assert(!market.taskOf(task).open);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TaskNotOpen.selector, task));
        market.closeTask(task);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TaskNotOpen.selector, task));
        market.addJob(task, algorithm);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TaskUnknown.selector, 9));
        market.addJob(9, algorithm);
    }

    function test_a_job_shows_all_that_decides_about_it() public {
        uint256 job = _job();
        ITaskMarket.Job memory found = market.jobOf(job);
        assert(found.algorithm == algorithm && found.task == task && found.demander == THIRD);
        _expectTree(job);
        assert(keccak256(_jobTree(2)) == keccak256(abi.encodeWithSelector(ITaskMarket.JobUnknown.selector, 2)));
    }

    function test_jobs_count_from_one_and_are_told() public {
        vm.expectEmit(true, true, true, true, address(market));
        emit ITaskMarket.JobAdded(1, task, algorithm, THIRD);
        assert(_job() == 1 && _job() == 2);
    }

    function test_a_job_takes_role_task_algorithm_and_life() public {
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.TaskIncorrectDemander.selector, UNION, task, THIRD));
        vm.prank(UNION);
        market.addJob(task, algorithm);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, THIRD, union, UNION));
        vm.prank(THIRD);
        market.addJob(task, union);
        vm.prank(CLINIC);
        tokens.revoke(clinicLeaf, union);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenGrantNotLive.selector, clinicLeaf, union, 0));
        vm.prank(THIRD);
        market.addJob(task, algorithm);
        _register(THIRD, false, false);
        _expectRole(THIRD);
        vm.prank(THIRD);
        market.addJob(task, algorithm);
    }

    /// @dev Compared as bytes: to decode so much at once is more than the stack of the compiler's old pipeline holds.
    function _expectTree(uint256 job) private view {
        ITaskMarket.JobTree memory expected;
        (expected.job, expected.task) = (market.jobOf(job), market.taskOf(task));
        (expected.nodes, expected.timestamp) = tokens.tree(algorithm);
        assert(expected.nodes.length == 4 && expected.nodes[3].token == clinicLeaf);
        assert(keccak256(_jobTree(job)) == keccak256(abi.encode(expected)));
    }

    function _jobTree(uint256 job) private view returns (bytes memory data) {
        (, data) = address(market).staticcall(abi.encodeCall(market.jobTree, (job)));
    }

    function _job() private returns (uint256) {
        vm.prank(THIRD);
        return market.addJob(task, algorithm);
    }

    function _expectRole(address account) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, AGGREGATOR_ROLE)
        );
    }
}
