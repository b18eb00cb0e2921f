// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDataTokens} from "../interfaces/IDataTokens.sol";

/**
 * @dev Which token is made of which, and which of these edges are granted.
 *
 * The children of a composite are a ring: the composite, its first child, …, its last child, the composite. So being a
 * child, and being named twice, are one read however many children there are, and the order of minting is kept.
 * A token has children only of before its own minting, and they never change: there are no cycles.
 */
library TokenGraph {
    struct Graph {
        mapping(uint256 composite => mapping(uint256 token => uint256 next)) next;
        mapping(uint256 composite => mapping(uint256 child => uint48 expiry)) expiry;
        mapping(uint256 composite => bool) activated;
    }

    uint256 internal constant MAX_CHILDREN = 64;
    uint256 internal constant MAX_NODES = 256;
    uint256 internal constant MAX_DEPTH = 16;
    /// Twice MAX_NODES and a power of two: the table of {_remember} is never more than half full.
    uint256 private constant SEEN_SLOTS = 512;

    /// @dev Makes `composite` of `children`. The caller has checked that all of them exist.
    function link(Graph storage graph, uint256 composite, uint256[] calldata children) internal {
        if (children.length > MAX_CHILDREN) revert IDataTokens.TokenChildrenTooMany(children.length, MAX_CHILDREN);
        uint256 last = composite;
        for (uint256 i = 0; i < children.length; ++i) {
            uint256 child = children[i];
            // Only the last of the ring so far has no successor yet, so it needs a comparison of its own.
            if (child == last || graph.next[composite][child] != 0) revert IDataTokens.TokenChildRepeated(child);
            graph.next[composite][last] = child;
            last = child;
        }
        graph.next[composite][last] = composite;
    }

    function isLeaf(Graph storage graph, uint256 token) internal view returns (bool) {
        return graph.next[token][token] == 0;
    }

    function isChild(Graph storage graph, uint256 child, uint256 composite) internal view returns (bool) {
        return child != composite && graph.next[composite][child] != 0;
    }

    function childrenOf(Graph storage graph, uint256 token) internal view returns (uint256[] memory children) {
        if (isLeaf(graph, token)) return children;
        uint256[] memory buffer = new uint256[](MAX_CHILDREN);
        uint256 count = 0;
        for (uint256 child = graph.next[token][token]; child != token; child = graph.next[token][child]) {
            buffer[count++] = child;
        }
        children = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            children[i] = buffer[i];
        }
    }

    /**
     * @dev `root` and all below it, breadth first, each token once. A token that is reached on several ways counts at
     * its shallowest level. Reverts above MAX_NODES tokens and MAX_DEPTH levels below the root.
     */
    function collect(Graph storage graph, uint256 root) internal view returns (uint256[] memory order, uint256 count) {
        order = new uint256[](MAX_NODES);
        uint256[] memory seen = new uint256[](SEEN_SLOTS);
        order[count++] = root;
        uint256 depth = 0;
        uint256 levelEnd = 1;
        for (uint256 i = 0; i < count; ++i) {
            if (i == levelEnd) {
                if (++depth > MAX_DEPTH) revert IDataTokens.TokenTreeTooDeep(root, MAX_DEPTH);
                levelEnd = count;
            }
            uint256 token = order[i];
            if (isLeaf(graph, token)) continue;
            for (uint256 child = graph.next[token][token]; child != token; child = graph.next[token][child]) {
                if (!_remember(seen, child)) continue;
                if (count == MAX_NODES) revert IDataTokens.TokenTreeTooLarge(root, MAX_NODES);
                order[count++] = child;
            }
        }
    }

    /**
     * @dev The first fault below `root`, breadth first. (0, 0): none. (token, 0): the composite `token` was never
     * activated. (child, composite): no live grant. `root` itself need not be activated.
     */
    function firstFault(Graph storage graph, uint256 root) internal view returns (uint256 child, uint256 composite) {
        (uint256[] memory order, uint256 count) = collect(graph, root);
        for (uint256 i = 0; i < count; ++i) {
            composite = order[i];
            if (isLeaf(graph, composite)) continue;
            if (i > 0 && !graph.activated[composite]) return (composite, 0);
            for (child = graph.next[composite][composite]; child != composite; child = graph.next[composite][child]) {
                if (graph.expiry[composite][child] <= block.timestamp) return (child, composite);
            }
        }
        return (0, 0);
    }

    /// @dev Adds `token` to a hash table with open addressing; false when it is there already. Ids are hashes themselves.
    function _remember(uint256[] memory seen, uint256 token) private pure returns (bool) {
        uint256 slot = token % SEEN_SLOTS;
        while (seen[slot] != 0) {
            if (seen[slot] == token) return false;
            slot = (slot + 1) % SEEN_SLOTS;
        }
        seen[slot] = token;
        return true;
    }
}
