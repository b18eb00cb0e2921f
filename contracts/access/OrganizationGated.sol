// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

/**
 * @dev For contracts that ask {Organizations} who holds a role. The roles are read at every call, so that a role which
 * the administrator takes away ends what it allowed with the next transaction.
 */
abstract contract OrganizationGated {
    /// @notice The registry that this contract trusts, for ever.
    IAccessControl public immutable organizations;

    constructor(IAccessControl organizations_) {
        organizations = organizations_;
    }

    /// @dev Reverts with {IAccessControl-AccessControlUnauthorizedAccount} when the sender lacks `role`.
    modifier onlyOrganizationWith(bytes32 role) {
        _requireRole(role);
        _;
    }

    function _requireRole(bytes32 role) internal view {
        if (!organizations.hasRole(role, msg.sender)) {
            revert IAccessControl.AccessControlUnauthorizedAccount(msg.sender, role);
        }
    }
}
