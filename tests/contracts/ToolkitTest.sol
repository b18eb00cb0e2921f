// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Organizations} from "../../contracts/access/Organizations.sol";
import {IOrganizations} from "../../contracts/interfaces/IOrganizations.sol";
import {IReceipts} from "../../contracts/interfaces/IReceipts.sol";
import {TaskMarket} from "../../contracts/market/TaskMarket.sol";
import {Receipts} from "../../contracts/receipts/Receipts.sol";
import {DataTokens} from "../../contracts/tokens/DataTokens.sol";
import {Operators} from "../../contracts/tokens/Operators.sol";
import {vm} from "./Vm.sol";

/// @dev A deployment with an administrator, two banks, an aggregator and a third party, for all tests.
abstract contract ToolkitTest {
    address internal constant ADMIN = address(0xA0);
    address internal constant BANK = address(0xB1);
    address internal constant CLINIC = address(0xB2);
    address internal constant UNION = address(0xC1);
    address internal constant THIRD = address(0xC2);
    address internal constant STRANGER = address(0xD1);
    bytes32 internal constant DIGEST = keccak256("document");

    Organizations internal organizations;
    Operators internal operators;
    DataTokens internal tokens;
    TaskMarket internal market;
    Receipts internal receipts;
    uint256 private _salts;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        organizations = new Organizations(ADMIN);
        operators = new Operators(organizations);
        tokens = new DataTokens(organizations);
        market = new TaskMarket(organizations, tokens);
        receipts = new Receipts(organizations, market);
        _register(BANK, false, true);
        _register(CLINIC, false, true);
        _register(UNION, true, false);
        _register(THIRD, true, false);
    }

    function _record(bool isAggregator, bool isProvider) internal pure returns (IOrganizations.Organization memory) {
        return IOrganizations.Organization({
            name: "First National Bank of Somewhere",
            description: "Retail bank, member of the regional credit risk union",
            url: "https://tracer.bank.example.com",
            linkKey: keccak256("link key"),
            isAggregator: isAggregator,
            isProvider: isProvider
        });
    }

    function _register(address organization, bool isAggregator, bool isProvider) internal {
        vm.prank(ADMIN);
        organizations.register(organization, _record(isAggregator, isProvider));
    }

    function _salt() internal returns (bytes32) {
        return bytes32(++_salts);
    }

    function _leaf(address owner) internal returns (uint256) {
        bytes32 salt = _salt();
        vm.prank(owner);
        return tokens.mint(salt, DIGEST, new uint256[](0));
    }

    function _composite(address owner, uint256[] memory children) internal returns (uint256) {
        bytes32 salt = _salt();
        vm.prank(owner);
        return tokens.mint(salt, DIGEST, children);
    }

    /// @dev Grants as the owner, whoever that is.
    function _grant(uint256 child, uint256 composite, uint48 until) internal {
        vm.prank(tokens.ownerOf(child));
        tokens.grant(child, composite, until);
    }

    /// @dev A composite of these, with every grant, activated.
    function _activated(address owner, uint256[] memory children) internal returns (uint256 composite) {
        composite = _composite(owner, children);
        for (uint256 i = 0; i < children.length; ++i) {
            _grant(children[i], composite, 0);
        }
        vm.prank(owner);
        tokens.activate(composite);
    }

    function _list(uint256 a) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = a;
    }

    function _list(uint256 a, uint256 b) internal pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (a, b);
    }

    function _list(uint256 a, uint256 b, uint256 c) internal pure returns (uint256[] memory list) {
        list = new uint256[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function _reports(uint256 job, uint256[] memory path, IReceipts.ReportState state)
        internal
        pure
        returns (IReceipts.Report[] memory list)
    {
        list = new IReceipts.Report[](1);
        list[0] = IReceipts.Report(job, path, state, DIGEST);
    }
}
