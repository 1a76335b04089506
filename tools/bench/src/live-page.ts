/**
 * The page that shows the stream, as small as it can be: fragments into a Media Source, playback kept at the newest frame,
 * and for each frame that is presented its number, read from the picture, and the time.
 */
export const LIVE_PAGE = `<!doctype html>
<meta charset="utf-8">
<title>latency</title>
<video id="video" muted autoplay playsinline width="1280" height="720"></video>
<script>
  const BARS = 12;
  const video = document.getElementById('video');
  const canvas = new OffscreenCanvas(BARS, 9);
  const picture = canvas.getContext('2d', { willReadFrequently: true });
  const source = new MediaSource();
  const waiting = [];
  let buffer;
  window.shown = [];
  window.newest = -1;
  video.src = URL.createObjectURL(source);

  function append() {
    if (!buffer || buffer.updating || waiting.length === 0) return;
    const bytes = new Uint8Array(waiting.reduce((sum, one) => sum + one.byteLength, 0));
    let at = 0;
    for (const one of waiting.splice(0)) {
      bytes.set(new Uint8Array(one), at);
      at += one.byteLength;
    }
    buffer.appendBuffer(bytes);
  }

  function keepUp() {
    const { buffered } = video;
    if (buffered.length > 0) {
      const end = buffered.end(buffered.length - 1);
      const behind = end - video.currentTime;
      if (behind > 0.5 || behind < 0) video.currentTime = Math.max(buffered.start(buffered.length - 1), end - 0.05);
      video.playbackRate = behind > 0.2 ? 1.1 : 1;
      if (video.paused) video.play().catch(() => undefined);
    }
    append();
  }

  source.addEventListener('sourceopen', () => {
    const socket = new WebSocket(decodeURIComponent(location.search.slice(1)));
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      if (typeof data !== 'string') {
        waiting.push(data);
        append();
        return;
      }
      const message = JSON.parse(data);
      if (message.type !== 'init') return;
      buffer = source.addSourceBuffer(message.mimeType);
      buffer.addEventListener('updateend', keepUp);
    };
  });

  function onFrame(now, { expectedDisplayTime }) {
    picture.drawImage(video, 0, 0, BARS, 9);
    const { data } = picture.getImageData(0, 0, BARS, 1);
    let number = 0;
    for (let bar = 0; bar < BARS; bar += 1) if (data[4 * bar] > 127) number += 2 ** bar;
    window.shown.push([number, performance.timeOrigin + Math.max(performance.now(), expectedDisplayTime)]);
    window.newest = number;
    video.requestVideoFrameCallback(onFrame);
  }
  video.requestVideoFrameCallback(onFrame);
</script>
`;
