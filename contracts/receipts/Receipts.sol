// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IDataTokens} from "../interfaces/IDataTokens.sol";
import {IOrganizations} from "../interfaces/IOrganizations.sol";
import {IReceipts} from "../interfaces/IReceipts.sol";
import {ITaskMarket} from "../interfaces/ITaskMarket.sol";

/**
 * @title Receipts of what was run, anchored, and what became of each share of a job
 * @notice An organization anchors the Merkle root of any number of its receipts in one transaction. Those that are about
 * the share of a leaf are reported along with it; those of a helper, which brings no leaf, are below the root only.
 *
 * A leaf of the tree is keccak256(keccak256(abi.encode(digest))), an inner node the hash of its two children in
 * ascending order: the StandardMerkleTree of OpenZeppelin over ["bytes32"]. The double hash keeps an inner node from
 * being taken for a leaf.
 *
 * NOTE: That a reported digest is below the root is not checked. The report has it in its event, so it is on chain in
 * any case, and a proof against the root shows whether the organization has kept its word.
 */
contract Receipts is IReceipts {
    /// @notice The registry that this contract trusts, for ever.
    IOrganizations public immutable organizations;

    /// @notice Where the jobs are.
    ITaskMarket public immutable market;

    IDataTokens private immutable _tokens;
    mapping(address by => mapping(bytes32 root => Anchor)) private _anchors;
    mapping(uint256 job => mapping(uint256 token => Reported)) private _reports;

    constructor(IOrganizations organizations_, ITaskMarket market_) {
        organizations = organizations_;
        market = market_;
        _tokens = market_.tokens();
    }

    /**
     * @notice Anchors receipts by their Merkle root, and says what became of the shares that some of them are about.
     * Anything but a success may be replaced by a later report, after a rerun; a success is final. A grant that has died
     * since does not matter: what has happened can be told. All of it or nothing is done, and a root is taken only once,
     * so that who does not know whether an earlier attempt came through may repeat it.
     *
     * Requirements:
     * - the sender is a registered organization that has not anchored this root before;
     * - the root is given, and `count` is at least one and the number of reports;
     * - for each report, in the order given: the job exists, the path starts at its algorithm and ends at a leaf that the
     *   sender owns now, state and digest are given, and no success was reported for this leaf.
     */
    function anchor(bytes32 root, uint32 count, Report[] calldata reports) external {
        if (!organizations.isRegistered(msg.sender)) revert IOrganizations.OrganizationUnknown(msg.sender);
        if (root == 0) revert ReceiptsRootZero();
        if (count == 0 || count < reports.length) revert ReceiptsCountTooSmall(count, reports.length);
        Anchor storage anchored = _anchors[msg.sender][root];
        if (anchored.timestamp != 0) revert ReceiptsAlreadyAnchored(root, anchored.timestamp);
        (anchored.timestamp, anchored.count) = (uint48(block.timestamp), count);
        emit ReceiptsAnchored(msg.sender, root, count);
        for (uint256 i = 0; i < reports.length; ++i) {
            _report(root, reports[i]);
        }
    }

    /// @inheritdoc IReceipts
    function anchorOf(address by, bytes32 root) external view returns (Anchor memory) {
        return _anchors[by][root];
    }

    /// @inheritdoc IReceipts
    function reportOf(uint256 job, uint256 token) external view returns (Reported memory) {
        return _reports[job][token];
    }

    /// @inheritdoc IReceipts
    function verify(address by, bytes32 root, bytes32 receipt, bytes32[] calldata proof) external view returns (bool) {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(receipt))));
        return _anchors[by][root].timestamp != 0 && MerkleProof.verifyCalldata(proof, root, leaf);
    }

    function _report(bytes32 root, Report calldata report) private {
        uint256 job = report.job;
        uint256 algorithm = market.jobOf(job).algorithm;
        uint256[] calldata path = report.path;
        if (path.length == 0 || path[0] != algorithm) revert JobPathIncorrect(job, algorithm);
        uint256 token = path[path.length - 1];
        address owner = _tokens.leafOwner(path);
        if (owner != msg.sender) revert JobIncorrectReporter(msg.sender, job, token, owner);
        if (report.state == ReportState.None || report.receipt == 0) revert JobReportEmpty(job, token);
        if (_reports[job][token].state == ReportState.Succeeded) revert JobAlreadySucceeded(job, token);
        _reports[job][token] = Reported(report.state, msg.sender, uint48(block.timestamp));
        emit JobReported(job, token, report.state, report.receipt, msg.sender, root);
    }
}
