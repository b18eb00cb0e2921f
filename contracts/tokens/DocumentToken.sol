// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/**
 * @dev An ERC-721 token whose meaning is a document: its id is bound to chain, contract, first owner and salt, so that
 * nobody can take an id that another account is about to use, and its URI is derived from the digest of the document.
 */
abstract contract DocumentToken is ERC721 {
    /// @notice The id that `owner` gets for `salt` from this contract on this chain.
    function deriveId(address owner, bytes32 salt) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(this), owner, salt)));
    }

    /**
     * @notice The document as an IPFS address.
     * @dev The digest is that of the raw bytes, so the CID needs no lookup: multibase `f` (hex), version 1, codec raw,
     * sha2-256 of 32 bytes.
     */
    function tokenURI(uint256 token) public view override returns (string memory) {
        _requireOwned(token);
        bytes memory hexDigest = bytes(Strings.toHexString(uint256(digestOf(token)), 32));
        // "0x" becomes the end of the prefix, so no byte has to be moved
        (hexDigest[0], hexDigest[1]) = ("2", "0");
        return string.concat("ipfs://f015512", string(hexDigest));
    }

    /// @notice SHA-256 of the document, zero where there is no such token.
    function digestOf(uint256 token) public view virtual returns (bytes32);
}
