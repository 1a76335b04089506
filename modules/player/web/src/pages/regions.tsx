import type { JSX } from 'preact';
import { api } from '../api.ts';
import { href, route } from '../router.ts';
import { CameraChoice, NoCamera, cameraOf, keyOf } from '../ui/camera-choice.tsx';
import { Heading, Notice } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';
import { Editing } from './regions/editing.tsx';

const LOOK_MS = 2000;

export function RegionsPage(): JSX.Element {
  const { value: cameras, error } = useLoaded(api.cameras, [], LOOK_MS);
  const camera = cameraOf(cameras ?? [], route.value.names);
  const { value: twin, error: twinError } = useLoaded(() => api.twin('controllermodule'), [camera && keyOf(camera)]);
  return (
    <>
      <Heading title="Regions">
        {cameras && cameras.length > 0 && (
          <CameraChoice
            cameras={cameras}
            chosen={camera}
            onChoose={({ pipeline, sensor }) => (location.hash = href('regions', [pipeline, sensor]))}
          />
        )}
      </Heading>
      {(error ?? twinError) && <Notice>{error ?? twinError}</Notice>}
      {cameras && !camera && <NoCamera />}
      {camera && twin && <Editing key={keyOf(camera)} camera={camera} twin={twin} />}
    </>
  );
}
