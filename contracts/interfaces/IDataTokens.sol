// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What {DataTokens} keeps, says and refuses.
interface IDataTokens {
    struct Child {
        uint256 token;
        /// Zero: not granted. The largest value: for ever. Otherwise the first second at which the grant is dead.
        uint48 expiry;
    }

    struct Node {
        uint256 token;
        address owner;
        bytes32 digest;
        /// True for a leaf. A composite: {activate} was called once with all below it live. It says nothing about today.
        bool activated;
        /// In the order of minting, empty for a leaf.
        Child[] children;
    }

    event TokenMinted(uint256 indexed token, address indexed owner, bytes32 digest, uint256[] children);

    /// @dev `until` 0: no expiry. A second event for the same pair replaces the first.
    event TokenGranted(uint256 indexed child, uint256 indexed composite, uint48 until);
    event TokenRevoked(uint256 indexed child, uint256 indexed composite);
    event TokenActivated(uint256 indexed token);

    /// @dev The sender has minted a token with this salt before.
    error TokenExists(uint256 token);

    /// @dev No document has this digest.
    error TokenDigestZero(uint256 token);

    /// @dev This call needs a composite.
    error TokenIsLeaf(uint256 token);

    /// @dev This call needs a leaf.
    error TokenIsComposite(uint256 token);

    /// @dev A composite names no token twice.
    error TokenChildRepeated(uint256 child);

    error TokenChildrenTooMany(uint256 count, uint256 limit);

    /// @dev `child` is not one of the tokens that `composite` was minted from.
    error TokenNotChild(uint256 child, uint256 composite);

    /// @dev This composite was never activated.
    error TokenNotActivated(uint256 token);

    /// @dev The owner of `child` has not granted it to `composite`, has revoked it, or the grant ended at `expiry`.
    error TokenGrantNotLive(uint256 child, uint256 composite, uint48 expiry);

    /// @dev A grant has to end in the future.
    error TokenGrantExpiryPast(uint48 until, uint256 timestamp);

    /// @dev More than `limit` different tokens below `root`.
    error TokenTreeTooLarge(uint256 root, uint256 limit);

    /// @dev More than `limit` levels below `root`.
    error TokenTreeTooDeep(uint256 root, uint256 limit);

    function mint(bytes32 salt, bytes32 digest, uint256[] calldata children) external returns (uint256 token);

    function grant(uint256 child, uint256 composite, uint48 until) external;

    function revoke(uint256 child, uint256 composite) external;

    function activate(uint256 composite) external;

    /// @notice Whether the token may be used now: activated, and every grant at every level below it is live.
    function isLive(uint256 token) external view returns (bool);

    /// @notice Reverts, naming the first fault, unless `algorithm` is a live composite that `account` owns.
    function requireRunnable(uint256 algorithm, address account) external view;

    /// @notice The owner of the leaf at the end of `path`, each token of which is a child of the one before it.
    function leafOwner(uint256[] calldata path) external view returns (address owner);

    /// @notice `root` and all below it, each token once, `root` first, and the time of the block that this was read at.
    function tree(uint256 root) external view returns (Node[] memory nodes, uint256 timestamp);
}
