// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IReceipts} from "../../contracts/interfaces/IReceipts.sol";
import {ToolkitTest} from "./ToolkitTest.sol";
import {vm} from "./Vm.sol";

/// @dev One call a test, so that `.gas-snapshot` shows what a change costs. docs/gas.md has the gas of whole transactions.
contract GasTest is ToolkitTest {
    bytes32 private constant ROOT = keccak256("root");

    uint256[3] private leaves;
    uint256 private pending;
    uint256 private algorithm;
    uint256 private task;
    uint256 private job;

    function setUp() public override {
        super.setUp();
        leaves = [_leaf(BANK), _leaf(BANK), _leaf(BANK)];
        uint256[] memory children = _list(leaves[0], leaves[1], leaves[2]);
        algorithm = _activated(THIRD, children);
        pending = _composite(THIRD, children);
        vm.startPrank(THIRD);
        task = market.createTask("Risk model", "Which loans will be paid back?");
        job = market.addJob(task, algorithm);
        vm.stopPrank();
    }

    function test_register_organization() public {
        _register(STRANGER, false, true);
    }

    function test_update_endpoint() public {
        vm.prank(BANK);
        organizations.updateEndpoint("https://daemon.bank.example.com", keccak256("new key"));
    }

    function test_publish_operator() public {
        vm.prank(ADMIN);
        operators.publish("salt", DIGEST);
    }

    function test_mint_leaf() public {
        vm.prank(CLINIC);
        tokens.mint("salt", DIGEST, new uint256[](0));
    }

    function test_mint_composite_of_3() public {
        vm.prank(UNION);
        tokens.mint("salt", DIGEST, _list(leaves[0], leaves[1], leaves[2]));
    }

    function test_grant() public {
        vm.prank(BANK);
        tokens.grant(leaves[0], pending, 0);
    }

    function test_revoke() public {
        vm.prank(BANK);
        tokens.revoke(leaves[0], algorithm);
    }

    function test_activate_again() public {
        vm.prank(THIRD);
        tokens.activate(algorithm);
    }

    function test_create_task() public {
        vm.prank(THIRD);
        market.createTask("Risk model", "Which loans will be paid back?");
    }

    function test_add_job_over_3() public {
        vm.prank(THIRD);
        market.addJob(task, algorithm);
    }

    function test_anchor_one_report() public {
        IReceipts.Report[] memory reports = _reports(job, _list(algorithm, leaves[0]), IReceipts.ReportState.Succeeded);
        vm.prank(BANK);
        receipts.anchor(ROOT, 1, reports);
    }

    function test_anchor_three_reports() public {
        IReceipts.Report[] memory reports = new IReceipts.Report[](3);
        for (uint256 i = 0; i < 3; ++i) {
            reports[i] = IReceipts.Report(job, _list(algorithm, leaves[i]), IReceipts.ReportState.Succeeded, DIGEST);
        }
        vm.prank(BANK);
        receipts.anchor(ROOT, 3, reports);
    }

    function test_anchor_without_reports() public {
        vm.prank(BANK);
        receipts.anchor(ROOT, 100, new IReceipts.Report[](0));
    }

    function test_transfer_composite_of_3() public {
        vm.prank(THIRD);
        tokens.transferFrom(THIRD, UNION, algorithm);
    }

    function test_read_tree_of_3() public view {
        tokens.tree(algorithm);
    }

    function test_is_live_over_3() public view {
        tokens.isLive(algorithm);
    }
}
