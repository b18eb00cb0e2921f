// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {AGGREGATOR_ROLE, PROVIDER_ROLE} from "../../contracts/access/Roles.sol";
import {IDataTokens} from "../../contracts/interfaces/IDataTokens.sol";
import {DataTokens} from "../../contracts/tokens/DataTokens.sol";
import {ToolkitTest} from "./ToolkitTest.sol";
import {Vm, vm} from "./Vm.sol";

contract DataTokensTest is ToolkitTest {
    function test_mint_binds_the_id_and_tells_everything() public {
        uint256 a = _leaf(BANK);
        uint256 b = _leaf(CLINIC);
        uint256 expected = tokens.deriveId(UNION, "salt");
        vm.expectEmit(true, true, true, true, address(tokens));
        emit IDataTokens.TokenMinted(expected, UNION, DIGEST, _list(b, a));
        vm.prank(UNION);
        assert(tokens.mint("salt", DIGEST, _list(b, a)) == expected);

        (IDataTokens.Node[] memory nodes, uint256 timestamp) = tokens.tree(expected);
        assert(timestamp == block.timestamp && nodes.length == 3);
        assert(nodes[0].token == expected && nodes[0].owner == UNION && nodes[0].digest == DIGEST);
        assert(!nodes[0].activated && nodes[0].children.length == 2);
        // in the order of minting
        assert(nodes[0].children[0].token == b && nodes[0].children[1].token == a);
        assert(nodes[1].token == b && nodes[1].activated && nodes[1].children.length == 0);
    }

    function testFuzz_ids_differ_by_owner_salt_contract_and_chain(address one, address two, bytes32 s, bytes32 t)
        public
    {
        vm.assume(one != two && s != t);
        uint256 id = tokens.deriveId(one, s);
        assert(id != tokens.deriveId(two, s) && id != tokens.deriveId(one, t));
        assert(id != new DataTokens(organizations).deriveId(one, s) && id != operators.deriveId(one, s));
        vm.chainId(block.chainid + 1);
        assert(id != tokens.deriveId(one, s));
    }

    function test_nobody_takes_an_id_that_another_is_about_to_use() public {
        vm.prank(CLINIC);
        uint256 other = tokens.mint("salt", DIGEST, new uint256[](0));
        vm.prank(BANK);
        assert(tokens.mint("salt", DIGEST, new uint256[](0)) != other);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenExists.selector, tokens.deriveId(BANK, "salt")));
        vm.prank(BANK);
        tokens.mint("salt", DIGEST, new uint256[](0));
    }

    function test_minting_takes_the_role() public {
        uint256 a = _leaf(BANK);
        _expectRole(UNION, PROVIDER_ROLE);
        vm.prank(UNION);
        tokens.mint("x", DIGEST, new uint256[](0));
        _expectRole(BANK, AGGREGATOR_ROLE);
        vm.prank(BANK);
        tokens.mint("x", DIGEST, _list(a));
    }

    function test_mint_refuses_bad_children_and_no_digest() public {
        uint256 a = _leaf(BANK);
        uint256 b = _leaf(BANK);
        vm.startPrank(UNION);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenChildRepeated.selector, a));
        tokens.mint("x", DIGEST, _list(a, b, a));
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenChildRepeated.selector, a));
        tokens.mint("x", DIGEST, _list(a, a));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 5));
        tokens.mint("x", DIGEST, _list(a, 5));
        uint256 self = tokens.deriveId(UNION, "x");
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, self));
        tokens.mint("x", DIGEST, _list(a, self));
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenDigestZero.selector, self));
        tokens.mint("x", 0, _list(a));
    }

    function test_at_most_64_children() public {
        uint256[] memory children = new uint256[](65);
        for (uint256 i = 0; i < 65; ++i) {
            children[i] = _leaf(BANK);
        }
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenChildrenTooMany.selector, 65, 64));
        vm.prank(UNION);
        tokens.mint("x", DIGEST, children);
        assembly {
            mstore(children, 64)
        }
        uint256 composite = _activated(UNION, children);
        assert(tokens.isLive(composite));
        (IDataTokens.Node[] memory nodes,) = tokens.tree(composite);
        assert(nodes.length == 65 && nodes[0].children[63].token == children[63]);
    }

    function test_grant_is_the_owners_with_the_role() public {
        uint256 a = _leaf(BANK);
        uint256 composite = _composite(UNION, _list(a));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, CLINIC, a, BANK));
        vm.prank(CLINIC);
        tokens.grant(a, composite, 0);

        // consent is the owner's alone, whatever ERC-721 approval there is
        vm.prank(BANK);
        tokens.setApprovalForAll(CLINIC, true);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, CLINIC, a, BANK));
        vm.prank(CLINIC);
        tokens.grant(a, composite, 0);

        _register(BANK, false, false);
        _expectRole(BANK, PROVIDER_ROLE);
        vm.prank(BANK);
        tokens.grant(a, composite, 0);
    }

    function test_grant_refuses_strangers_the_unknown_and_the_past() public {
        uint256 a = _leaf(BANK);
        uint256 b = _leaf(BANK);
        uint256 composite = _composite(UNION, _list(a));
        vm.startPrank(BANK);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenNotChild.selector, b, composite));
        tokens.grant(b, composite, 0);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenNotChild.selector, a, 5));
        tokens.grant(a, 5, 0);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 5));
        tokens.grant(5, composite, 0);
        uint48 past = uint48(block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenGrantExpiryPast.selector, past, block.timestamp));
        tokens.grant(a, composite, past);
        vm.stopPrank();
        // A composite is no child of itself, though its ring starts and ends there.
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenNotChild.selector, composite, composite));
        vm.prank(UNION);
        tokens.grant(composite, composite, 0);
    }

    function testFuzz_a_grant_lives_until_its_second(uint48 until, uint48 moment) public {
        vm.assume(until > block.timestamp && until < type(uint48).max);
        uint256 a = _leaf(BANK);
        uint256 composite = _composite(UNION, _list(a));
        _grant(a, composite, until);
        vm.prank(UNION);
        tokens.activate(composite);
        vm.assume(moment >= block.timestamp);
        vm.warp(moment);
        assert(tokens.isLive(composite) == (moment < until));
    }

    function test_revoke_needs_a_grant_and_no_role() public {
        uint256 a = _leaf(BANK);
        uint256 composite = _activated(UNION, _list(a));
        _register(BANK, false, false);
        vm.expectEmit(true, true, true, true, address(tokens));
        emit IDataTokens.TokenRevoked(a, composite);
        vm.prank(BANK);
        tokens.revoke(a, composite);
        assert(!tokens.isLive(composite));
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenGrantNotLive.selector, a, composite, 0));
        vm.prank(BANK);
        tokens.revoke(a, composite);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, CLINIC, a, BANK));
        vm.prank(CLINIC);
        tokens.revoke(a, composite);
    }

    function test_activate_names_the_first_child_without_a_live_grant() public {
        uint256 a = _leaf(BANK);
        uint256 b = _leaf(CLINIC);
        uint256 composite = _composite(UNION, _list(a, b));
        _grant(a, composite, 0);
        uint48 until = uint48(block.timestamp + 10);
        _grant(b, composite, until);
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenGrantNotLive.selector, b, composite, until));
        vm.prank(UNION);
        tokens.activate(composite);
    }

    function test_activate_is_the_owners_with_the_role_and_for_composites() public {
        uint256 a = _leaf(BANK);
        uint256 composite = _composite(UNION, _list(a));
        _grant(a, composite, 0);
        _expectRole(BANK, AGGREGATOR_ROLE);
        vm.prank(BANK);
        tokens.activate(a);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, THIRD, composite, UNION));
        vm.prank(THIRD);
        tokens.activate(composite);
        _register(BANK, true, true);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenIsLeaf.selector, a));
        vm.prank(BANK);
        tokens.activate(a);
    }

    function test_activating_twice_says_nothing_new() public {
        uint256 composite = _activated(UNION, _list(_leaf(BANK)));
        vm.recordLogs();
        vm.prank(UNION);
        tokens.activate(composite);
        assert(vm.getRecordedLogs().length == 0);
    }

    function test_one_rule_who_owns_both_still_grants() public {
        _register(BANK, true, true);
        uint256 a = _leaf(BANK);
        uint256 composite = _composite(BANK, _list(a));
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenGrantNotLive.selector, a, composite, 0));
        vm.prank(BANK);
        tokens.activate(composite);
    }

    function test_death_below_reaches_the_top_and_life_returns() public {
        uint256 a = _leaf(BANK);
        uint256 inner = _activated(UNION, _list(a, _leaf(CLINIC)));
        uint256 outer = _activated(THIRD, _list(inner));
        assert(tokens.isLive(outer));
        vm.prank(BANK);
        tokens.revoke(a, inner);
        assert(!tokens.isLive(inner) && !tokens.isLive(outer));
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenGrantNotLive.selector, a, inner, 0));
        tokens.requireRunnable(outer, THIRD);
        _grant(a, inner, 0);
        assert(tokens.isLive(outer));
        tokens.requireRunnable(outer, THIRD);
    }

    function test_activate_wants_children_that_are_live_themselves() public {
        uint256 a = _leaf(BANK);
        uint256 inner = _composite(UNION, _list(a));
        uint256 outer = _composite(THIRD, _list(inner));
        _grant(inner, outer, 0);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenNotActivated.selector, inner));
        vm.prank(THIRD);
        tokens.activate(outer);
    }

    function test_runnable_is_an_own_live_composite() public {
        uint256 a = _leaf(BANK);
        uint256 composite = _composite(UNION, _list(a));
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenNotActivated.selector, composite));
        tokens.requireRunnable(composite, UNION);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenIsLeaf.selector, a));
        tokens.requireRunnable(a, BANK);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, THIRD, composite, UNION));
        tokens.requireRunnable(composite, THIRD);
        assert(!tokens.isLive(composite) && tokens.isLive(a) && !tokens.isLive(5));
    }

    function test_a_sold_leaf_keeps_its_grants() public {
        uint256 a = _leaf(BANK);
        uint256 composite = _activated(UNION, _list(a));
        vm.prank(BANK);
        tokens.transferFrom(BANK, CLINIC, a);
        assert(tokens.isLive(composite));
        vm.prank(CLINIC);
        tokens.revoke(a, composite);
        assert(!tokens.isLive(composite));
    }

    function test_a_sold_composite_loses_the_consent_of_others() public {
        uint256 a = _leaf(BANK);
        uint256 b = _leaf(CLINIC);
        uint256 composite = _activated(UNION, _list(a, b));
        uint256 outer = _activated(THIRD, _list(composite));
        vm.recordLogs();
        vm.prank(UNION);
        tokens.transferFrom(UNION, THIRD, composite);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assert(logs.length == 3);
        assert(logs[1].topics[0] == IDataTokens.TokenRevoked.selector && uint256(logs[1].topics[1]) == a);
        assert(logs[2].topics[0] == IDataTokens.TokenRevoked.selector && uint256(logs[2].topics[1]) == b);
        assert(!tokens.isLive(composite) && !tokens.isLive(outer));
        _grant(a, composite, 0);
        _grant(b, composite, 0);
        // what the composite was granted to, and its activation, stayed
        assert(tokens.isLive(composite) && tokens.isLive(outer));
    }

    function test_a_transfer_to_oneself_changes_nothing() public {
        uint256 composite = _activated(UNION, _list(_leaf(BANK)));
        vm.prank(UNION);
        tokens.transferFrom(UNION, UNION, composite);
        assert(tokens.isLive(composite));
    }

    function test_leaf_owner_follows_a_path() public {
        uint256 a = _leaf(BANK);
        uint256 b = _leaf(CLINIC);
        uint256 inner = _composite(UNION, _list(a));
        uint256 outer = _composite(THIRD, _list(inner, b));
        assert(tokens.leafOwner(_list(outer, inner, a)) == BANK);
        assert(tokens.leafOwner(_list(outer, b)) == CLINIC);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenNotChild.selector, a, outer));
        tokens.leafOwner(_list(outer, a));
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenNotChild.selector, outer, outer));
        tokens.leafOwner(_list(outer, outer, b));
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenIsComposite.selector, inner));
        tokens.leafOwner(_list(outer, inner));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 0));
        tokens.leafOwner(new uint256[](0));
    }

    function test_a_tree_names_each_token_once() public {
        uint256 shared = _leaf(BANK);
        uint256 left = _composite(UNION, _list(shared));
        uint256 right = _composite(UNION, _list(shared));
        uint256 top = _composite(THIRD, _list(left, right, shared));
        (IDataTokens.Node[] memory nodes,) = tokens.tree(top);
        assert(nodes.length == 4);
        assert(nodes[1].token == left && nodes[2].token == right && nodes[3].token == shared);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 5));
        tokens.tree(5);
    }

    function test_depth_is_bounded() public {
        uint256 token = _leaf(BANK);
        for (uint256 i = 0; i < 16; ++i) {
            token = _activated(UNION, _list(token));
        }
        assert(tokens.isLive(token));
        (IDataTokens.Node[] memory nodes,) = tokens.tree(token);
        assert(nodes.length == 17);
        uint256 tooDeep = _composite(UNION, _list(token));
        _grant(token, tooDeep, 0);
        bytes memory refused = abi.encodeWithSelector(IDataTokens.TokenTreeTooDeep.selector, tooDeep, 16);
        vm.expectRevert(refused);
        tokens.tree(tooDeep);
        vm.expectRevert(refused);
        vm.prank(UNION);
        tokens.activate(tooDeep);
        assert(!tokens.isLive(tooDeep));
    }

    function test_size_is_bounded() public {
        // 4 unions of 63 leaves, themselves, and the root: 257
        uint256[] memory unions = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            uint256[] memory leaves = new uint256[](63);
            for (uint256 j = 0; j < 63; ++j) {
                leaves[j] = _leaf(BANK);
            }
            unions[i] = _composite(UNION, leaves);
        }
        uint256 largest = _composite(UNION, _list(unions[0], unions[1], unions[2]));
        (IDataTokens.Node[] memory nodes,) = tokens.tree(largest);
        assert(nodes.length == 1 + 3 * 64);
        uint256 tooLarge = _composite(UNION, unions);
        vm.expectRevert(abi.encodeWithSelector(IDataTokens.TokenTreeTooLarge.selector, tooLarge, 256));
        tokens.tree(tooLarge);
    }

    /// @dev 2^16 ways lead to the leaf; a walk that follows each would never end.
    function test_diamonds_cost_what_their_tokens_cost() public {
        uint256 left = _leaf(BANK);
        uint256 right = _leaf(BANK);
        for (uint256 i = 0; i < 15; ++i) {
            (left, right) = (_activated(UNION, _list(left, right)), _activated(UNION, _list(right, left)));
        }
        uint256 top = _activated(UNION, _list(left, right));
        uint256 before = gasleft();
        assert(tokens.isLive(top));
        assert(before - gasleft() < 1_000_000);
    }

    function _expectRole(address account, bytes32 role) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role));
    }
}
