export const DEVICE_TYPES = ['dGPU', 'Jetson', 'CPU'] as const;
export type DeviceType = (typeof DEVICE_TYPES)[number];

/** The platform of module.json that a device needs. */
export const PLATFORMS: Readonly<Record<DeviceType, string>> = {
  dGPU: 'amd64.dgpu',
  Jetson: 'arm64v8.jetson',
  CPU: 'amd64',
};

/** What azdacli chose a Triton by; remote models are named in an nvinferserver configuration here. */
export const BACKENDS = [
  ...['pytorch', 'dali', 'onnxruntime', 'fil', 'python', 'tensorflow1', 'tensorflow2', 'tensorrt'],
  ...['square', 'openvino_2021_4', 'identity', 'repeat'],
] as const;
