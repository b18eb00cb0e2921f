// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/**
 * @dev Bytes that seldom change, kept as the code of a contract of their own: that costs 200 gas a byte, storage slots
 * cost 690. The first byte of the code is STOP, so a call to it does nothing.
 */
library CodeStorage {
    /// Content that fits into the limit for code, 24,576 bytes, with the STOP before it.
    uint256 private constant LIMIT = 24_575;

    /// @dev The contract could not be created: too little gas, or more content than fits into code.
    error CodeStorageNotCreated(uint256 length);

    function write(bytes memory content) internal returns (address pointer) {
        if (content.length > LIMIT) revert CodeStorageNotCreated(content.length);
        // PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: returns all after these 10 bytes
        bytes memory creation =
            abi.encodePacked(hex"61", uint16(content.length + 1), hex"80600a3d393df3", hex"00", content);
        assembly ("memory-safe") {
            pointer := create(0, add(creation, 0x20), mload(creation))
        }
        if (pointer == address(0)) revert CodeStorageNotCreated(content.length);
    }

    /// @dev The content from byte `start` on, before byte `end`. Both are within what was written.
    function read(address pointer, uint256 start, uint256 end) internal view returns (bytes memory content) {
        content = new bytes(end - start);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(content, 0x20), add(start, 1), sub(end, start))
        }
    }

    function length(address pointer) internal view returns (uint256) {
        return pointer.code.length - 1;
    }
}
