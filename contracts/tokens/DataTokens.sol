// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {OrganizationGated} from "../access/OrganizationGated.sol";
import {AGGREGATOR_ROLE, PROVIDER_ROLE} from "../access/Roles.sol";
import {TokenGraph} from "./TokenGraph.sol";
import {TokenViews} from "./TokenViews.sol";

/**
 * @title Data tokens and the grants between them
 * @notice A leaf stands for data; a composite is made of other tokens, each of which its owner grants to this composite.
 * There is one rule for all: who owns both still grants, and a composite is granted like a leaf.
 *
 * NOTE: On transfer. A leaf keeps its grants: the permissions given for the data go over with the data, as the former
 * owner gave them, and the new owner may revoke them. A composite loses the grants of its children, and
 * {TokenRevoked} says so for each: they were given for a use by the former owner, and nobody's consent is for sale. The
 * new owner asks for them again. What the composite itself was granted to stays, as for a leaf, but is dead until then.
 *
 * NOTE: Approved accounts of ERC-721 can transfer a token and nothing else: consent is the owner's.
 */
contract DataTokens is TokenViews, OrganizationGated {
    using TokenGraph for TokenGraph.Graph;

    uint48 private constant FOREVER = type(uint48).max;

    constructor(IAccessControl organizations_) ERC721("Data token", "DT") OrganizationGated(organizations_) {}

    /**
     * @notice Mints a leaf (no children) or a composite.
     *
     * Requirements:
     * - the sender has the provider role for a leaf, the aggregator role for a composite, and has not used the salt;
     * - the digest is not zero;
     * - there are at most 64 children, all of them exist, none is named twice.
     */
    function mint(bytes32 salt, bytes32 digest, uint256[] calldata children) external returns (uint256 token) {
        _requireRole(children.length == 0 ? PROVIDER_ROLE : AGGREGATOR_ROLE);
        token = deriveId(msg.sender, salt);
        if (_ownerOf(token) != address(0)) revert TokenExists(token);
        if (digest == 0) revert TokenDigestZero(token);
        if (children.length > 0) {
            // The token itself does not exist yet, so it cannot be its own child.
            for (uint256 i = 0; i < children.length; ++i) {
                _requireOwned(children[i]);
            }
            _graph.link(token, children);
        }
        _digests[token] = digest;
        _mint(msg.sender, token);
        emit TokenMinted(token, msg.sender, digest, children);
    }

    /**
     * @notice Permits the use of `child` in `composite` before the second `until`, or for ever when that is 0. Replaces
     * an earlier grant.
     *
     * Requirements:
     * - the sender owns `child` and has the role that minting it would take;
     * - `composite` was made of `child`;
     * - `until` is 0 or in the future.
     */
    function grant(uint256 child, uint256 composite, uint48 until) external {
        _requireOwner(child);
        _requireRole(_graph.isLeaf(child) ? PROVIDER_ROLE : AGGREGATOR_ROLE);
        if (!_graph.isChild(child, composite)) revert TokenNotChild(child, composite);
        if (until != 0 && until <= block.timestamp) revert TokenGrantExpiryPast(until, block.timestamp);
        _graph.expiry[composite][child] = until == 0 ? FOREVER : until;
        emit TokenGranted(child, composite, until);
    }

    /**
     * @notice Ends a grant. Everything above it is dead from this block on.
     *
     * Requirements:
     * - the sender owns `child`, whatever roles it has left;
     * - there is a grant, expired or not.
     */
    function revoke(uint256 child, uint256 composite) external {
        _requireOwner(child);
        if (_graph.expiry[composite][child] == 0) revert TokenGrantNotLive(child, composite, 0);
        _graph.expiry[composite][child] = 0;
        emit TokenRevoked(child, composite);
    }

    /**
     * @notice Declares a composite complete, so that it can be used. Calling it again is allowed and says nothing new.
     *
     * Requirements:
     * - the sender owns `composite` and has the aggregator role;
     * - every child has a live grant and is live itself.
     */
    function activate(uint256 composite) external onlyOrganizationWith(AGGREGATOR_ROLE) {
        _requireOwner(composite);
        if (_graph.isLeaf(composite)) revert TokenIsLeaf(composite);
        _requireNoFault(composite);
        if (_graph.activated[composite]) return;
        _graph.activated[composite] = true;
        emit TokenActivated(composite);
    }

    /// @dev See the note on transfers above.
    function _update(address to, uint256 token, address auth) internal override returns (address from) {
        from = super._update(to, token, auth);
        if (from == address(0) || from == to || _graph.isLeaf(token)) return from;
        uint256[] memory children = _graph.childrenOf(token);
        for (uint256 i = 0; i < children.length; ++i) {
            if (_graph.expiry[token][children[i]] == 0) continue;
            _graph.expiry[token][children[i]] = 0;
            emit TokenRevoked(children[i], token);
        }
    }

    function _requireOwner(uint256 token) private view {
        address owner = _requireOwned(token);
        if (owner != msg.sender) revert ERC721IncorrectOwner(msg.sender, token, owner);
    }
}
