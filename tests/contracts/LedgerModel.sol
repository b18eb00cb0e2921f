// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IReceipts} from "../../contracts/interfaces/IReceipts.sol";
import {TaskMarket} from "../../contracts/market/TaskMarket.sol";
import {Receipts} from "../../contracts/receipts/Receipts.sol";
import {DataTokens} from "../../contracts/tokens/DataTokens.sol";
import {vm} from "./Vm.sol";

/**
 * @dev Does random things to the contracts and to a plain model of them, and asserts that both agree on what is allowed.
 * The model is written from the words of the rules: arrays, recursion, no bounds, no rings.
 */
contract LedgerModel {
    struct Token {
        address owner;
        bool activated;
        uint256[] children;
    }

    struct Success {
        uint256 job;
        uint256 token;
    }

    struct Anchor {
        address by;
        bytes32 root;
        uint256 timestamp;
    }

    uint256 private constant ACTORS = 4;

    DataTokens public immutable tokens;
    TaskMarket public immutable market;
    Receipts public immutable receipts;
    uint256 public immutable task;

    uint256[] public ids;
    mapping(uint256 id => Token) private _tokens;
    mapping(uint256 composite => mapping(uint256 child => uint256 until)) public until;
    uint256[] public jobs;
    mapping(uint256 job => uint256 algorithm) private _algorithms;
    Success[] private _successes;
    Anchor[] private _anchors;
    uint256 private _salts;
    /// How often each thing has worked, so that a run which did nothing can be told.
    mapping(bytes32 what => uint256 count) public done;

    constructor(DataTokens tokens_, TaskMarket market_, Receipts receipts_, uint256 task_) {
        (tokens, market, receipts, task) = (tokens_, market_, receipts_, task_);
    }

    /// @dev All actors hold both roles; the roles have tests of their own. The first one owns the task.
    function actor(uint256 seed) public pure returns (address) {
        return address(uint160(0xAC00 + seed % ACTORS));
    }

    function mintLeaf(uint256 who) external {
        _mint(actor(who), new uint256[](0));
    }

    function mintComposite(uint256 who, uint256 a, uint256 b, uint256 c) external {
        if (ids.length < 3) return;
        uint256 first = a % ids.length;
        uint256 second = (first + 1 + b % (ids.length - 1)) % ids.length;
        uint256 third = c % ids.length;
        bool three = third != first && third != second;
        uint256[] memory children = new uint256[](three ? 3 : 2);
        (children[0], children[1]) = (ids[first], ids[second]);
        if (three) children[2] = ids[third];
        _mint(actor(who), children);
    }

    function grant(uint256 compositeSeed, uint256 childSeed, uint256 who, uint32 seconds_) external {
        (uint256 child, uint256 composite) = _edge(compositeSeed, childSeed);
        if (composite == 0) return;
        address sender = _mostly(_tokens[child].owner, who);
        uint256 end = seconds_ % 4 == 0 ? 0 : block.timestamp + seconds_ % 1000;
        bool allowed = sender == _tokens[child].owner && (end == 0 || end > block.timestamp);
        vm.prank(sender);
        try tokens.grant(child, composite, uint48(end)) {
            assert(allowed);
            until[composite][child] = end == 0 ? type(uint256).max : end;
            ++done["grant"];
        } catch {
            assert(!allowed);
        }
    }

    /// @dev All children at once: random grants alone seldom complete anything.
    function grantAll(uint256 seed) external {
        (, uint256 composite) = _edge(seed, 0);
        if (composite == 0) return;
        uint256[] storage children = _tokens[composite].children;
        for (uint256 i = 0; i < children.length; ++i) {
            vm.prank(_tokens[children[i]].owner);
            tokens.grant(children[i], composite, 0);
            until[composite][children[i]] = type(uint256).max;
        }
        ++done["grantAll"];
    }

    function revoke(uint256 compositeSeed, uint256 childSeed, uint256 who) external {
        (uint256 child, uint256 composite) = _edge(compositeSeed, childSeed);
        if (composite == 0) return;
        address sender = _mostly(_tokens[child].owner, who);
        bool allowed = sender == _tokens[child].owner && until[composite][child] != 0;
        vm.prank(sender);
        try tokens.revoke(child, composite) {
            assert(allowed);
            until[composite][child] = 0;
            ++done["revoke"];
        } catch {
            assert(!allowed);
        }
    }

    function activate(uint256 seed, uint256 who) external {
        (, uint256 composite) = _edge(seed, 0);
        if (composite == 0) return;
        address sender = _mostly(_tokens[composite].owner, who);
        bool allowed = sender == _tokens[composite].owner && _grantsLive(composite);
        vm.prank(sender);
        try tokens.activate(composite) {
            assert(allowed);
            _tokens[composite].activated = true;
            ++done["activate"];
        } catch {
            assert(!allowed);
        }
    }

    function transfer(uint256 seed, uint256 to) external {
        if (ids.length == 0) return;
        uint256 id = ids[seed % ids.length];
        Token storage token = _tokens[id];
        address receiver = actor(to);
        vm.prank(token.owner);
        tokens.transferFrom(token.owner, receiver, id);
        if (receiver == token.owner) return;
        token.owner = receiver;
        for (uint256 i = 0; i < token.children.length; ++i) {
            until[id][token.children[i]] = 0;
        }
        ++done["transfer"];
    }

    function addJob(uint256 seed, uint256 who) external {
        (, uint256 algorithm) = _edge(seed, 0);
        if (algorithm == 0) return;
        address sender = _mostly(actor(0), who);
        bool allowed = sender == actor(0) && sender == _tokens[algorithm].owner && live(algorithm);
        vm.prank(sender);
        try market.addJob(task, algorithm) returns (uint256 job) {
            assert(allowed);
            jobs.push(job);
            assert(job == jobs.length);
            _algorithms[job] = algorithm;
            ++done["addJob"];
        } catch {
            assert(!allowed);
        }
    }

    /// @dev Two shares in one anchor, often the same one twice, and now and then under a root that was used before.
    function report(uint256 jobSeed, uint256 firstSeed, uint256 secondSeed, uint256 states, uint256 who) external {
        if (jobs.length == 0) return;
        IReceipts.Report[] memory reports = new IReceipts.Report[](2);
        reports[0] = _reportOf(jobSeed, firstSeed, states);
        reports[1] = _reportOf(jobSeed / 7, secondSeed, states / 5);
        address sender = _mostly(_tokens[_leafOf(reports[0])].owner, who);
        bytes32 root = _anchors.length > 0 && who % 7 == 1
            ? _anchors[states % _anchors.length].root
            : keccak256(abi.encode(++_salts));
        bool allowed = !anchored(sender, root) && _mayReport(sender, reports[0]) && _mayReport(sender, reports[1])
            && !(_same(reports[0], reports[1]) && reports[0].state == IReceipts.ReportState.Succeeded);
        vm.prank(sender);
        try receipts.anchor(root, 2, reports) {
            assert(allowed);
            _anchors.push(Anchor(sender, root, block.timestamp));
            _remember(reports[0]);
            _remember(reports[1]);
            ++done["report"];
        } catch {
            assert(!allowed);
        }
    }

    /// @dev Receipts that are about no leaf.
    function anchor(uint256 who, uint256 old) external {
        bool again = _anchors.length > 0 && old % 4 == 0;
        bytes32 root = again ? _anchors[old % _anchors.length].root : keccak256(abi.encode(++_salts));
        bool allowed = !anchored(actor(who), root);
        vm.prank(actor(who));
        try receipts.anchor(root, 1, new IReceipts.Report[](0)) {
            assert(allowed);
            _anchors.push(Anchor(actor(who), root, block.timestamp));
            ++done["anchor"];
        } catch {
            assert(!allowed);
        }
    }

    function wait_(uint16 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 500);
    }

    /// @dev Activated, and every grant at every level lives.
    function live(uint256 id) public view returns (bool) {
        return _tokens[id].children.length == 0 || (_tokens[id].activated && _grantsLive(id));
    }

    function count() external view returns (uint256) {
        return ids.length;
    }

    function tokenOf(uint256 id) external view returns (Token memory) {
        return _tokens[id];
    }

    function anchored(address by, bytes32 root) public view returns (bool) {
        for (uint256 i = 0; i < _anchors.length; ++i) {
            if (_anchors[i].by == by && _anchors[i].root == root) return true;
        }
        return false;
    }

    function anchors() external view returns (Anchor[] memory) {
        return _anchors;
    }

    function successes() external view returns (Success[] memory) {
        return _successes;
    }

    function _grantsLive(uint256 id) private view returns (bool) {
        uint256[] storage children = _tokens[id].children;
        for (uint256 i = 0; i < children.length; ++i) {
            if (until[id][children[i]] <= block.timestamp || !live(children[i])) return false;
        }
        return true;
    }

    function _mint(address owner, uint256[] memory children) private {
        bytes32 salt = bytes32(++_salts);
        vm.prank(owner);
        uint256 id = tokens.mint(salt, keccak256(abi.encode(salt)), children);
        assert(_tokens[id].owner == address(0));
        _tokens[id] = Token(owner, false, children);
        ids.push(id);
        ++done[children.length == 0 ? bytes32("mintLeaf") : bytes32("mintComposite")];
    }

    /// @dev The next composite from a random place on, and one of its children; zeros where there is none.
    function _edge(uint256 compositeSeed, uint256 childSeed) private view returns (uint256 child, uint256 composite) {
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 id = ids[(compositeSeed % ids.length + i) % ids.length];
            uint256[] storage children = _tokens[id].children;
            if (children.length > 0) return (children[childSeed % children.length], id);
        }
    }

    function _pathDown(uint256 id, uint256 seed) private view returns (uint256[] memory path) {
        uint256[] memory buffer = new uint256[](ids.length + 1);
        uint256 length = 0;
        buffer[length++] = id;
        while (_tokens[id].children.length > 0) {
            uint256[] storage children = _tokens[id].children;
            id = children[seed % children.length];
            seed = uint256(keccak256(abi.encode(seed)));
            buffer[length++] = id;
        }
        path = new uint256[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = buffer[i];
        }
    }

    function _reportOf(uint256 jobSeed, uint256 childSeed, uint256 state)
        private
        returns (IReceipts.Report memory made)
    {
        made.job = jobs[jobSeed % jobs.length];
        made.path = _pathDown(_algorithms[made.job], childSeed);
        made.state = IReceipts.ReportState(state % 5);
        made.receipt = keccak256(abi.encode(++_salts));
    }

    function _leafOf(IReceipts.Report memory said) private pure returns (uint256) {
        return said.path[said.path.length - 1];
    }

    function _same(IReceipts.Report memory a, IReceipts.Report memory b) private pure returns (bool) {
        return a.job == b.job && _leafOf(a) == _leafOf(b);
    }

    function _mayReport(address sender, IReceipts.Report memory said) private view returns (bool) {
        return sender == _tokens[_leafOf(said)].owner && said.state != IReceipts.ReportState.None
            && !_succeeded(said.job, _leafOf(said));
    }

    function _remember(IReceipts.Report memory said) private {
        if (said.state == IReceipts.ReportState.Succeeded) _successes.push(Success(said.job, _leafOf(said)));
    }

    function _succeeded(uint256 job, uint256 token) private view returns (bool) {
        for (uint256 i = 0; i < _successes.length; ++i) {
            if (_successes[i].job == job && _successes[i].token == token) return true;
        }
        return false;
    }

    /// @dev The right one in seven of eight cases, so that most calls do something.
    function _mostly(address right, uint256 seed) private pure returns (address) {
        return seed % 8 == 0 ? actor(seed / 8) : right;
    }
}
