// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDataTokens} from "../../contracts/interfaces/IDataTokens.sol";
import {IOrganizations} from "../../contracts/interfaces/IOrganizations.sol";
import {IReceipts} from "../../contracts/interfaces/IReceipts.sol";
import {ITaskMarket} from "../../contracts/interfaces/ITaskMarket.sol";
import {ToolkitTest} from "./ToolkitTest.sol";
import {Vm, vm} from "./Vm.sol";

contract ReceiptsTest is ToolkitTest {
    bytes32 private constant ROOT = keccak256("root");

    uint256 private bankLeaf;
    uint256 private clinicLeaf;
    uint256 private union;
    uint256 private algorithm;
    uint256 private task;
    uint256 private job;
    uint256 private roots;

    function setUp() public override {
        super.setUp();
        bankLeaf = _leaf(BANK);
        clinicLeaf = _leaf(CLINIC);
        union = _activated(UNION, _list(clinicLeaf));
        algorithm = _activated(THIRD, _list(bankLeaf, union));
        vm.startPrank(THIRD);
        task = market.createTask("Risk model", "");
        job = market.addJob(task, algorithm);
        vm.stopPrank();
    }

    function test_a_root_is_anchored_and_told() public {
        vm.expectEmit(true, true, true, true, address(receipts));
        emit IReceipts.ReceiptsAnchored(BANK, ROOT, 7);
        vm.prank(BANK);
        receipts.anchor(ROOT, 7, new IReceipts.Report[](0));
        IReceipts.Anchor memory found = receipts.anchorOf(BANK, ROOT);
        assert(found.timestamp == block.timestamp && found.count == 7);
        assert(receipts.anchorOf(CLINIC, ROOT).timestamp == 0);
    }

    /// @dev Also an organization without a role, which only helps in joint jobs.
    function test_anchoring_takes_a_registration_and_no_role() public {
        vm.expectRevert(abi.encodeWithSelector(IOrganizations.OrganizationUnknown.selector, STRANGER));
        vm.prank(STRANGER);
        receipts.anchor(ROOT, 1, new IReceipts.Report[](0));
        _register(STRANGER, false, false);
        vm.prank(STRANGER);
        receipts.anchor(ROOT, 1, new IReceipts.Report[](0));
        assert(receipts.anchorOf(STRANGER, ROOT).count == 1);
    }

    function test_a_root_is_given_and_counts_what_is_below() public {
        IReceipts.Report[] memory one = _reports(job, _list(algorithm, bankLeaf), IReceipts.ReportState.Succeeded);
        IReceipts.Report[] memory two = new IReceipts.Report[](2);
        (two[0], two[1]) = (one[0], one[0]);
        vm.startPrank(BANK);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptsRootZero.selector));
        receipts.anchor(0, 1, one);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptsCountTooSmall.selector, 0, 0));
        receipts.anchor(ROOT, 0, new IReceipts.Report[](0));
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptsCountTooSmall.selector, 1, 2));
        receipts.anchor(ROOT, 1, two);
        receipts.anchor(ROOT, 1, one);
    }

    function test_a_root_is_anchored_once_by_each() public {
        vm.startPrank(BANK);
        receipts.anchor(ROOT, 1, new IReceipts.Report[](0));
        uint48 first = uint48(block.timestamp);
        vm.warp(block.timestamp + 5);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.ReceiptsAlreadyAnchored.selector, ROOT, first));
        receipts.anchor(ROOT, 2, new IReceipts.Report[](0));
        vm.stopPrank();
        vm.prank(CLINIC);
        receipts.anchor(ROOT, 2, new IReceipts.Report[](0));
        assert(receipts.anchorOf(BANK, ROOT).timestamp == first && receipts.anchorOf(BANK, ROOT).count == 1);
        assert(receipts.anchorOf(CLINIC, ROOT).timestamp == first + 5);
    }

    function test_reports_are_the_leaf_owners() public {
        uint256[] memory path = _list(algorithm, union, clinicLeaf);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.JobIncorrectReporter.selector, BANK, job, clinicLeaf, CLINIC));
        _report(BANK, path, IReceipts.ReportState.Succeeded);

        vm.expectEmit(true, true, true, true, address(receipts));
        emit IReceipts.JobReported(job, clinicLeaf, IReceipts.ReportState.Failed, DIGEST, CLINIC, bytes32(roots + 1));
        _report(CLINIC, path, IReceipts.ReportState.Failed);
        IReceipts.Reported memory report = receipts.reportOf(job, clinicLeaf);
        assert(report.state == IReceipts.ReportState.Failed);
        assert(report.reporter == CLINIC && report.timestamp == block.timestamp);
        assert(receipts.reportOf(job, bankLeaf).state == IReceipts.ReportState.None);
    }

    function test_reports_follow_a_true_path() public {
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenNotChild.selector, clinicLeaf, algorithm));
        _report(CLINIC, _list(algorithm, clinicLeaf), IReceipts.ReportState.Succeeded);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.JobPathIncorrect.selector, job, algorithm));
        _report(CLINIC, _list(union, clinicLeaf), IReceipts.ReportState.Succeeded);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.JobPathIncorrect.selector, job, algorithm));
        _report(CLINIC, new uint256[](0), IReceipts.ReportState.Succeeded);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenIsComposite.selector, union));
        _report(UNION, _list(algorithm, union), IReceipts.ReportState.Succeeded);
        IReceipts.Report[] memory unknown = _reports(8, _list(algorithm, bankLeaf), IReceipts.ReportState.Succeeded);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.JobUnknown.selector, 8));
        vm.prank(BANK);
        receipts.anchor(ROOT, 1, unknown);
    }

    function test_reports_say_something() public {
        IReceipts.Report[] memory said = _reports(job, _list(algorithm, bankLeaf), IReceipts.ReportState.None);
        vm.startPrank(BANK);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.JobReportEmpty.selector, job, bankLeaf));
        receipts.anchor(ROOT, 1, said);
        (said[0].state, said[0].receipt) = (IReceipts.ReportState.Succeeded, 0);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.JobReportEmpty.selector, job, bankLeaf));
        receipts.anchor(ROOT, 1, said);
    }

    function testFuzz_a_success_is_final_and_all_else_is_not(uint8 first, uint8 second) public {
        IReceipts.ReportState one = IReceipts.ReportState(first % 4 + 1);
        IReceipts.ReportState two = IReceipts.ReportState(second % 4 + 1);
        uint256[] memory path = _list(algorithm, bankLeaf);
        _report(BANK, path, one);
        if (one == IReceipts.ReportState.Succeeded) {
            vm.expectRevert(abi.encodeWithSelector(IReceipts.JobAlreadySucceeded.selector, job, bankLeaf));
        }
        _report(BANK, path, two);
        assert(receipts.reportOf(job, bankLeaf).state == (one == IReceipts.ReportState.Succeeded ? one : two));
    }

    /// @dev What has happened can be told, also when the grant is gone and the task is closed; by who owns the leaf now.
    function test_reports_come_late_and_from_the_owner_of_today() public {
        vm.prank(THIRD);
        market.closeTask(task);
        vm.startPrank(BANK);
        tokens.revoke(bankLeaf, algorithm);
        tokens.transferFrom(BANK, CLINIC, bankLeaf);
        vm.stopPrank();
        uint256[] memory path = _list(algorithm, bankLeaf);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.JobIncorrectReporter.selector, BANK, job, bankLeaf, CLINIC));
        _report(BANK, path, IReceipts.ReportState.Canceled);
        _report(CLINIC, path, IReceipts.ReportState.Canceled);
    }

    /// @dev The second report of a share replaces the first, in order, also within one anchor.
    function test_one_anchor_may_report_a_share_twice() public {
        IReceipts.Report[] memory reports = new IReceipts.Report[](2);
        uint256[] memory path = _list(algorithm, bankLeaf);
        reports[0] = IReceipts.Report(job, path, IReceipts.ReportState.Failed, DIGEST);
        reports[1] = IReceipts.Report(job, path, IReceipts.ReportState.Succeeded, keccak256("second"));
        vm.recordLogs();
        vm.startPrank(BANK);
        receipts.anchor(ROOT, 2, reports);
        assert(receipts.reportOf(job, bankLeaf).state == IReceipts.ReportState.Succeeded);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assert(logs.length == 3);
        for (uint256 i = 1; i < 3; ++i) {
            assert(logs[i].topics[0] == IReceipts.JobReported.selector && logs[i].topics[3] == ROOT);
            assert(uint256(logs[i].topics[1]) == job && uint256(logs[i].topics[2]) == bankLeaf);
        }
        vm.expectRevert(abi.encodeWithSelector(IReceipts.JobAlreadySucceeded.selector, job, bankLeaf));
        receipts.anchor(keccak256("later"), 2, reports);
    }

    /// @dev All or nothing: a root with fewer reports than were meant would look like the whole.
    function testFuzz_one_bad_report_undoes_the_anchor(uint8 place) public {
        IReceipts.Report[] memory reports = new IReceipts.Report[](3);
        for (uint256 i = 0; i < 3; ++i) {
            reports[i] = IReceipts.Report(job, _list(algorithm, bankLeaf), IReceipts.ReportState.Failed, DIGEST);
        }
        reports[place % 3].path = _list(algorithm, union, clinicLeaf);
        vm.startPrank(BANK);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.JobIncorrectReporter.selector, BANK, job, clinicLeaf, CLINIC));
        receipts.anchor(ROOT, 3, reports);
        assert(receipts.anchorOf(BANK, ROOT).timestamp == 0);
        assert(receipts.reportOf(job, bankLeaf).state == IReceipts.ReportState.None);
        reports[place % 3].path = _list(algorithm, bankLeaf);
        receipts.anchor(ROOT, 3, reports);
        assert(receipts.reportOf(job, bankLeaf).state == IReceipts.ReportState.Failed);
    }

    function testFuzz_a_receipt_is_proven_below_the_root_that_was_anchored(bytes32 one, bytes32 two, bytes32 other)
        public
    {
        vm.assume(other != one && other != two);
        bytes32 root = _pair(_leafHash(one), _leafHash(two));
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leafHash(two);
        assert(!receipts.verify(BANK, root, one, proof));
        vm.prank(BANK);
        receipts.anchor(root, 2, new IReceipts.Report[](0));
        assert(receipts.verify(BANK, root, one, proof));
        assert(!receipts.verify(CLINIC, root, one, proof));
        assert(!receipts.verify(BANK, root, other, proof));
        assert(!receipts.verify(BANK, root, one, new bytes32[](0)));
        proof[0] = _leafHash(one);
        assert(receipts.verify(BANK, root, two, proof));
        // No receipt passes for an inner node, nor the root for a receipt.
        assert(!receipts.verify(BANK, root, root, new bytes32[](0)));
    }

    function test_a_receipt_alone_is_its_own_tree() public {
        vm.prank(BANK);
        receipts.anchor(_leafHash(DIGEST), 1, new IReceipts.Report[](0));
        assert(receipts.verify(BANK, _leafHash(DIGEST), DIGEST, new bytes32[](0)));
    }

    function test_it_names_what_it_was_deployed_for() public view {
        assert(address(receipts.organizations()) == address(organizations));
        assert(address(receipts.market()) == address(market));
    }

    /// @dev Under a root of its own each time: 1, 2, …
    function _report(address owner, uint256[] memory path, IReceipts.ReportState state) private {
        IReceipts.Report[] memory reports = _reports(job, path, state);
        vm.prank(owner);
        receipts.anchor(bytes32(++roots), 1, reports);
    }

    function _leafHash(bytes32 digest) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(digest))));
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }
}
