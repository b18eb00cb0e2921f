// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What {Organizations} keeps, says and refuses.
interface IOrganizations {
    struct Organization {
        string name;
        string description;
        /// URL of its daemon, empty when it runs none.
        string url;
        /// Ed25519 public key that authenticates the links of its daemon, zero when it has none.
        bytes32 linkKey;
        bool isAggregator;
        bool isProvider;
    }

    /// @dev The whole record after every change, so that the last event of an address is its state.
    event OrganizationRecorded(
        address indexed organization,
        string name,
        string description,
        string url,
        bytes32 linkKey,
        bool isAggregator,
        bool isProvider
    );

    /// @dev Nobody is registered at this address.
    error OrganizationUnknown(address organization);

    /// @dev An organization needs an address.
    error OrganizationAddressZero();

    /// @dev An organization needs a name.
    error OrganizationNameEmpty(address organization);

    /// @dev A name, description or URL has more bytes than readers have to take.
    error OrganizationTextTooLong(uint256 length, uint256 limit);

    function register(address organization, Organization calldata record) external;

    function updateEndpoint(string calldata url, bytes32 linkKey) external;

    /// @notice Whether an organization is registered at this address, whatever its roles.
    function isRegistered(address account) external view returns (bool);

    /// @notice The records in the order asked; an empty name where there is none.
    function organizationsOf(address[] calldata accounts) external view returns (Organization[] memory records);
}
