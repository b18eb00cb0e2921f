// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CodeStorage} from "../../contracts/access/CodeStorage.sol";
import {vm} from "./Vm.sol";

contract CodeStorageHarness {
    function write(bytes calldata content) external returns (address) {
        return CodeStorage.write(content);
    }
}

contract CodeStorageTest {
    CodeStorageHarness private harness = new CodeStorageHarness();

    function testFuzz_any_part_comes_back(bytes calldata content, uint256 a, uint256 b) public {
        address pointer = harness.write(content);
        uint256 end = a % (content.length + 1);
        uint256 start = b % (end + 1);
        assert(CodeStorage.length(pointer) == content.length);
        assert(keccak256(CodeStorage.read(pointer, start, end)) == keccak256(content[start:end]));
    }

    function test_the_longest_content_fits_and_no_longer_one() public {
        assert(CodeStorage.length(harness.write(new bytes(24_575))) == 24_575);
        vm.expectRevert(abi.encodeWithSelector(CodeStorage.CodeStorageNotCreated.selector, 24_576));
        harness.write(new bytes(24_576));
    }

    function test_too_little_gas_is_no_silent_loss() public {
        vm.expectRevert(abi.encodeWithSelector(CodeStorage.CodeStorageNotCreated.selector, 20_000));
        harness.write{gas: 3_000_000}(new bytes(20_000));
    }

    function test_a_call_to_it_does_nothing() public {
        (bool done, bytes memory answer) = harness.write(hex"fe").call("");
        assert(done && answer.length == 0);
    }
}
