// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDataTokens} from "../interfaces/IDataTokens.sol";
import {DocumentToken} from "./DocumentToken.sol";
import {TokenGraph} from "./TokenGraph.sol";

/// @dev What can be asked about data tokens: the part of {DataTokens} that changes nothing.
abstract contract TokenViews is DocumentToken, IDataTokens {
    using TokenGraph for TokenGraph.Graph;

    TokenGraph.Graph internal _graph;
    mapping(uint256 token => bytes32 digest) internal _digests;

    /// @inheritdoc IDataTokens
    function isLive(uint256 token) external view returns (bool) {
        if (_ownerOf(token) == address(0)) return false;
        if (_graph.isLeaf(token)) return true;
        if (!_graph.activated[token]) return false;
        (uint256 child,) = _graph.firstFault(token);
        return child == 0;
    }

    /// @inheritdoc IDataTokens
    function requireRunnable(uint256 algorithm, address account) external view {
        address owner = _requireOwned(algorithm);
        if (owner != account) revert ERC721IncorrectOwner(account, algorithm, owner);
        if (_graph.isLeaf(algorithm)) revert TokenIsLeaf(algorithm);
        if (!_graph.activated[algorithm]) revert TokenNotActivated(algorithm);
        _requireNoFault(algorithm);
    }

    /// @inheritdoc IDataTokens
    function leafOwner(uint256[] calldata path) external view returns (address owner) {
        // An empty path is refused like a token that does not exist.
        uint256 last = path.length == 0 ? 0 : path[0];
        for (uint256 i = 1; i < path.length; ++i) {
            if (!_graph.isChild(path[i], last)) revert TokenNotChild(path[i], last);
            last = path[i];
        }
        if (!_graph.isLeaf(last)) revert TokenIsComposite(last);
        return _requireOwned(last);
    }

    /// @inheritdoc IDataTokens
    function tree(uint256 root) external view returns (Node[] memory nodes, uint256 timestamp) {
        _requireOwned(root);
        (uint256[] memory order, uint256 count) = _graph.collect(root);
        nodes = new Node[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 token = order[i];
            uint256[] memory ids = _graph.childrenOf(token);
            Child[] memory children = new Child[](ids.length);
            for (uint256 j = 0; j < ids.length; ++j) {
                children[j] = Child(ids[j], _graph.expiry[token][ids[j]]);
            }
            bool activated = ids.length == 0 || _graph.activated[token];
            nodes[i] = Node(token, _ownerOf(token), _digests[token], activated, children);
        }
        return (nodes, block.timestamp);
    }

    /// @inheritdoc DocumentToken
    function digestOf(uint256 token) public view override returns (bytes32) {
        return _digests[token];
    }

    /// @dev Reverts with the first fault below `root`, which itself need not be activated.
    function _requireNoFault(uint256 root) internal view {
        (uint256 child, uint256 composite) = _graph.firstFault(root);
        if (composite != 0) revert TokenGrantNotLive(child, composite, _graph.expiry[composite][child]);
        if (child != 0) revert TokenNotActivated(child);
    }
}
