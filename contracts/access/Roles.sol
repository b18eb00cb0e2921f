// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev May mint composites, grant them, open tasks and add jobs.
bytes32 constant AGGREGATOR_ROLE = keccak256("AGGREGATOR_ROLE");

/// @dev May mint leaves, which stand for data, and grant them.
bytes32 constant PROVIDER_ROLE = keccak256("PROVIDER_ROLE");

/// @dev The system administrator: registers organizations and publishes operators. Same value as in {AccessControl}.
bytes32 constant ADMIN_ROLE = 0x00;
