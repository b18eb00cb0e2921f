// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDataTokens} from "../../contracts/interfaces/IDataTokens.sol";
import {IReceipts} from "../../contracts/interfaces/IReceipts.sol";
import {LedgerModel} from "./LedgerModel.sol";
import {ToolkitTest} from "./ToolkitTest.sol";
import {vm} from "./Vm.sol";

/// @dev What holds after any sequence of calls. The model also asserts, at each call, that it was rightly allowed or refused.
contract LedgerInvariants is ToolkitTest {
    LedgerModel private model;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 4; ++i) {
            _register(address(uint160(0xAC00 + i)), true, true);
        }
        vm.prank(address(0xAC00));
        uint256 task = market.createTask("Task", "");
        model = new LedgerModel(tokens, market, receipts, task);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(model);
    }

    /// @dev Also: an activated token with a dead grant at any level is never live.
    function invariant_live_is_what_the_rules_say() external view {
        for (uint256 i = 0; i < model.count(); ++i) {
            uint256 id = model.ids(i);
            assert(tokens.isLive(id) == model.live(id));
        }
    }

    function invariant_trees_show_every_token_once_with_its_grants() external view {
        for (uint256 i = 0; i < model.count(); ++i) {
            (IDataTokens.Node[] memory nodes,) = tokens.tree(model.ids(i));
            assert(nodes[0].token == model.ids(i));
            for (uint256 j = 0; j < nodes.length; ++j) {
                _expectNode(nodes[j]);
                for (uint256 k = 0; k < j; ++k) {
                    assert(nodes[k].token != nodes[j].token);
                }
            }
        }
    }

    function invariant_tokens_are_as_many_as_mintings() external view {
        uint256 held = 0;
        for (uint256 i = 0; i < 4; ++i) {
            held += tokens.balanceOf(model.actor(i));
        }
        assert(held == model.count());
        assert(model.count() == model.done("mintLeaf") + model.done("mintComposite"));
    }

    function invariant_a_success_never_changes() external view {
        LedgerModel.Success[] memory successes = model.successes();
        for (uint256 i = 0; i < successes.length; ++i) {
            IReceipts.Reported memory report = receipts.reportOf(successes[i].job, successes[i].token);
            assert(report.state == IReceipts.ReportState.Succeeded);
        }
    }

    function invariant_an_anchor_stays_as_it_was_made() external view {
        LedgerModel.Anchor[] memory anchors = model.anchors();
        for (uint256 i = 0; i < anchors.length; ++i) {
            assert(receipts.anchorOf(anchors[i].by, anchors[i].root).timestamp == anchors[i].timestamp);
        }
        assert(anchors.length == model.done("report") + model.done("anchor"));
    }

    /// @dev One sequence in which everything works: were the model to refuse all, the invariants would prove nothing.
    function test_the_model_reaches_everything() external {
        model.mintLeaf(1);
        model.mintLeaf(2);
        model.mintLeaf(3);
        model.mintComposite(0, 0, 0, 2);
        for (uint256 i = 0; i < 3; ++i) {
            model.grant(3, i, 1, 0);
        }
        model.activate(3, 1);
        model.addJob(3, 0);
        // Failed, then succeeded, both in one anchor.
        model.report(0, 0, 0, 2 + 5 * 1, 2);
        model.anchor(1, 1);
        model.revoke(3, 0, 1);
        model.transfer(3, 1);
        bytes32[9] memory all = [
            bytes32("mintLeaf"),
            "mintComposite",
            "grant",
            "activate",
            "addJob",
            "report",
            "anchor",
            "revoke",
            "transfer"
        ];
        for (uint256 i = 0; i < all.length; ++i) {
            assert(model.done(all[i]) > 0);
        }
        assert(model.successes().length == 1);
    }

    function _expectNode(IDataTokens.Node memory node) private view {
        LedgerModel.Token memory token = model.tokenOf(node.token);
        assert(node.owner == token.owner && node.children.length == token.children.length);
        assert(node.activated == (token.activated || token.children.length == 0));
        for (uint256 i = 0; i < token.children.length; ++i) {
            uint256 child = token.children[i];
            uint256 until = model.until(node.token, child);
            assert(node.children[i].token == child);
            assert(node.children[i].expiry == (until == type(uint256).max ? type(uint48).max : until));
        }
    }
}
