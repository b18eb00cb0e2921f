// Only `hardhat node` is used: the contracts are compiled by scripts/contracts.mjs.
module.exports = { solidity: { compilers: [] }, networks: { hardhat: { chainId: 31_338, hardfork: 'cancun' } } };
