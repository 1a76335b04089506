"""People, bicycles and cars: small jointed models in metres, drawn limb by limb from back to front."""

from dataclasses import dataclass, field

import numpy as np

from canvas import capsule, mix, shade

SKINS = [(150, 180, 225), (120, 155, 205), (90, 125, 180), (65, 90, 140), (45, 62, 100)]
HAIRS = [(30, 34, 44), (40, 60, 90), (70, 120, 170), (25, 25, 28), (150, 150, 155), (50, 70, 130)]


class Body:
    """Places points given in the actor's own frame (forward, left, up) in the world and on the picture."""

    def __init__(self, canvas, x, z, heading):
        self.canvas, self.x, self.z = canvas, x, z
        self.hx, self.hz = heading

    def world(self, p):
        a, b, h = p
        return self.x + a * self.hx - b * self.hz, self.z + a * self.hz + b * self.hx, h

    def pixel(self, p):
        return self.canvas.camera.project(*self.world(p))

    def depth(self, p):
        return self.world(p)[1]

    def unit(self, p):
        return float(self.canvas.camera.scale(self.depth(p)))


def limb(body, p, q, r0, r1, colour):
    """A limb as something to sort by depth and draw: base colour and a lit edge towards the sun."""

    def draw(canvas):
        a, b, s = body.pixel(p), body.pixel(q), body.unit(p)
        canvas.capsule(a, b, r0 * s, r1 * s, shade(colour, 0.84))
        lift = np.array([-0.22, -0.05])
        canvas.capsule(a + lift * r0 * s, b + lift * r1 * s, r0 * s * 0.74, r1 * s * 0.74, colour)

    return (body.depth(p) + body.depth(q)) / 2, draw, (p, q, r0, r1)


@dataclass
class Person:
    """A walking person. `tall` in metres; colours are BGR."""

    tall: float = 1.75
    skin: tuple = SKINS[0]
    hair: tuple = HAIRS[0]
    top: tuple = (60, 70, 160)
    legs: tuple = (70, 55, 45)
    shoes: tuple = (30, 30, 30)
    build: float = 1.0
    coat: bool = False
    skirt: bool = False
    backpack: tuple | None = None
    bag: tuple | None = None
    cap: tuple | None = None
    long_hair: bool = False
    swing: float = 1.0
    kind: str = field(default='person', init=False)
    classes = 'person'

    def parts(self, body, phase, speed):
        t, w = self.tall, self.build
        amp = self.swing * min(1.0, speed / 1.2) * (1.0 + 0.45 * max(0.0, speed - 1.8))
        thigh, shin = 0.245 * t, 0.246 * t
        out, feet, knees = [], [], []
        for side, ph in ((1, phase), (-1, phase + np.pi)):
            hip_angle = 0.46 * amp * np.sin(ph) + 0.03
            knee_angle = 0.06 + 0.85 * amp * max(0.0, np.cos(ph)) ** 1.5
            knee = np.array([np.sin(hip_angle) * thigh, 0.05 * t * side, -np.cos(hip_angle) * thigh])
            a = hip_angle - knee_angle
            ankle = knee + np.array([np.sin(a) * shin, -0.008 * t * side, -np.cos(a) * shin])
            feet.append((side, ankle, a))
            knees.append(knee)
        hip_h = 0.035 * t - min(f[1][2] for f in feet)
        hip = np.array([0.0, 0.0, hip_h])
        lean = 0.05 * amp + 0.08 * max(0.0, speed - 1.8)
        chest = hip + np.array([np.sin(lean) * 0.29 * t, 0, 0.29 * t])
        head = chest + np.array([0.012 * t, 0, 0.118 * t])
        for (side, ankle, a), knee in zip(feet, knees):
            socket = hip + np.array([0, 0.047 * t * side, 0.0])
            k, f = hip + knee, hip + ankle
            toe = f + np.array([np.cos(a * 0.6) * 0.085 * t, 0, np.sin(a * 0.6) * 0.05 * t - 0.018 * t])
            out.append(limb(body, f + np.array([-0.015 * t, 0, -0.012 * t]), toe, 0.024 * t, 0.019 * t, self.shoes))
            tone = self.skin if self.skirt else self.legs
            out.append(limb(body, k, f, 0.036 * t * w, 0.025 * t * w, tone))
            out.append(limb(body, socket, k, 0.05 * t * w, 0.038 * t * w, tone))
        for side, ph in ((1, phase + np.pi), (-1, phase)):
            swing = 0.5 * amp * np.sin(ph)
            bend = 0.28 + 0.25 * amp * max(0.0, np.sin(ph)) + 0.9 * max(0.0, min(1.0, speed - 1.8))
            shoulder = chest + np.array([0, 0.092 * t * w * side, -0.012 * t])
            elbow = shoulder + 0.165 * t * np.array([np.sin(swing), 0.12 * side, -np.cos(swing)])
            b = swing + bend
            hand = elbow + 0.15 * t * np.array([np.sin(b), 0.0, -np.cos(b)])
            out.append(limb(body, hand, hand, 0.02 * t, 0.02 * t, self.skin))
            out.append(limb(body, elbow, hand, 0.026 * t * w, 0.02 * t * w, self.top))
            out.append(limb(body, shoulder, elbow, 0.034 * t * w, 0.027 * t * w, shade(self.top, 0.94)))
            if self.bag and side == 1:
                low = hand + np.array([0, 0, -0.1 * t])
                out.append(limb(body, hand + np.array([0, 0, -0.05 * t]), low, 0.035 * t, 0.055 * t, self.bag))
        out.append(self._torso(body, hip, chest, t, w, knees))
        if self.backpack:
            back = chest + np.array([-0.085 * t, 0, -0.04 * t])
            out.append(limb(body, back, back + np.array([-0.01 * t, 0, -0.15 * t]), 0.055 * t, 0.066 * t, self.backpack))
        out.append(self._head(body, chest, head, t))
        return out

    def _torso(self, body, hip, chest, t, w, knees):
        def width(front, side):
            return w * t * np.hypot(front * body.hz, side * body.hx)

        def draw(canvas):
            s = body.unit(chest)
            a, b = body.pixel(chest), body.pixel(hip)
            top, low = width(0.098, 0.066) * s, width(0.078, 0.068) * s
            if self.skirt or self.coat:
                hem = body.pixel(hip + (knees[0] + knees[1]) / 2 * (1.05 if self.skirt else 0.8))
                flare = (width(0.1, 0.1) + 0.25 * abs(knees[0][0] - knees[1][0]) * abs(body.hx)) * s
                cloth = self.legs if self.skirt else self.top
                canvas.capsule(b, hem, low, flare, shade(cloth, 0.86))
                canvas.capsule(b + [-0.2 * low, 0], hem + [-0.2 * flare, 0], low * 0.72, flare * 0.72, cloth)
            neck = body.pixel(chest + np.array([0.005 * t, 0, 0.06 * t]))
            canvas.capsule(a, neck, 0.028 * t * s, 0.026 * t * s, shade(self.skin, 0.8))
            canvas.capsule(a, b, top, low, shade(self.top, 0.84))
            canvas.capsule(a + [-0.16 * top, 0], b + [-0.16 * low, 0], top * 0.8, low * 0.8, self.top)

        return body.depth(chest), draw, (chest, hip, 0.09 * t * w, 0.075 * t * w)

    def _head(self, body, chest, head, t):
        r = 0.062 * t

        def draw(canvas):
            s = body.unit(head)
            face = body.pixel(head + np.array([0.012 * t, 0, -0.006 * t]))
            crown = body.pixel(head + np.array([-0.016 * t, 0, 0.014 * t]))
            hair = self.cap or self.hair

            def draw_face():
                canvas.disc(face, r * s * 0.9, shade(self.skin, 0.86), 1.16)
                canvas.disc(face + [-0.12 * r * s, -0.05 * r * s], r * s * 0.74, self.skin, 1.16)

            def draw_hair():
                canvas.disc(crown, r * s, shade(hair, 0.85), 1.08)
                canvas.disc(crown + [-0.2 * r * s, -0.2 * r * s], r * s * 0.66, shade(hair, 1.2), 1.0)
                if self.long_hair:
                    fall = body.pixel(head + np.array([-0.045 * t, 0, -0.08 * t]))
                    canvas.capsule(crown, fall, r * s * 0.85, r * s * 0.6, self.hair)

            if body.hz < -0.25:
                draw_hair()
                draw_face()
                canvas.capsule(body.pixel(head + np.array([0, -0.04 * t, 0.045 * t])),
                               body.pixel(head + np.array([0, 0.04 * t, 0.045 * t])), r * s * 0.4, r * s * 0.4, hair)
            else:
                draw_face()
                draw_hair()

        return body.depth(head) - 0.001, draw, (head, head, r, r)

    def draw(self, canvas, x, z, heading, travelled, speed):
        body = Body(canvas, x, z, heading)
        phase = travelled / (0.42 * self.tall * (1 + 0.25 * max(0.0, speed - 1.4))) * np.pi
        for _, paint, _ in sorted(self.parts(body, phase, speed), key=lambda part: -part[0]):
            paint(canvas)

    def cast(self, shadow, x, z, heading, travelled, speed):
        body = Body(shadow, x, z, heading)
        phase = travelled / (0.42 * self.tall * (1 + 0.25 * max(0.0, speed - 1.4))) * np.pi
        for _, _, (p, q, r0, r1) in self.parts(body, phase, speed):
            cast_limb(shadow, body, p, q, r0, r1)


def cast_limb(shadow, body, p, q, r0, r1):
    a, b = body.world(p), body.world(q)
    s = float(shadow.camera.scale(a[1]))
    outline = capsule(shadow.ground(*a), shadow.ground(*b), r0 * s, r1 * s, 4)
    shadow.polygon(outline)


@dataclass
class Bicycle:
    """A bicycle with its rider: one object, one box."""

    frame: tuple = (60, 60, 200)
    rider: Person = field(default_factory=Person)
    helmet: tuple | None = (230, 230, 235)
    basket: bool = False
    classes = 'bicycle'

    R, BASE, CRANK = 0.34, 1.04, 0.17

    def _points(self, travelled):
        t = self.rider.tall
        rear, front = np.array([-self.BASE / 2, 0, self.R]), np.array([self.BASE / 2, 0, self.R])
        axle, seat, bar = np.array([-0.08, 0, 0.29]), np.array([-0.26, 0, 0.93]), np.array([0.34, 0, 1.0])
        hip = seat + np.array([0.02, 0, 0.09])
        chest = hip + np.array([0.2 * t * 0.55, 0, 0.29 * t * 0.92])
        head = chest + np.array([0.055 * t, 0, 0.108 * t])
        angle = -travelled / self.R * 0.45
        return t, rear, front, axle, seat, bar, hip, chest, head, angle

    def _legs(self, t, axle, hip, angle):
        thigh, shin = 0.25 * t, 0.26 * t
        legs = []
        for side, a in ((1, angle), (-1, angle + np.pi)):
            pedal = axle + np.array([np.cos(a) * self.CRANK, 0.1 * side, np.sin(a) * self.CRANK])
            ankle = pedal + np.array([-0.03, 0, 0.07])
            start = hip + np.array([0, 0.08 * side, 0])
            d = ankle - start
            reach = min(np.hypot(d[0], d[2]), thigh + shin - 1e-3)
            inner = np.arccos(np.clip((thigh**2 + reach**2 - shin**2) / (2 * thigh * reach), -1, 1))
            turn = np.arctan2(d[0], -d[2]) + inner
            knee = start + np.array([np.sin(turn) * thigh, 0, -np.cos(turn) * thigh])
            legs.append((side, start, knee, ankle, pedal))
        return legs

    def draw(self, canvas, x, z, heading, travelled, speed):
        body = Body(canvas, x, z, heading)
        t, rear, front, axle, seat, bar, hip, chest, head, angle = self._points(travelled)
        s = body.unit(axle)
        legs = self._legs(t, axle, hip, angle)
        near = 1 if body.depth((0, 1, 0)) < body.depth((0, -1, 0)) else -1

        def leg(side, start, knee, ankle, pedal):
            for part in (limb(body, knee, ankle, 0.062, 0.042, self.rider.legs), limb(body, start, knee, 0.085, 0.065, self.rider.legs),
                         limb(body, ankle + np.array([-0.03, 0, -0.04]), ankle + np.array([0.13, 0, -0.05]), 0.04, 0.032, self.rider.shoes)):
                part[1](canvas)
            canvas.line([body.pixel(axle), body.pixel(pedal)], (60, 60, 60), 0.03 * s)

        def arm(side):
            shoulder = chest + np.array([0.01, 0.15 * side, -0.03])
            hand = bar + np.array([0, 0.2 * side, 0.03])
            elbow = (shoulder + hand) / 2 + np.array([-0.02, 0.04 * side, -0.06])
            for part in (limb(body, elbow, hand, 0.042, 0.034, self.rider.top), limb(body, shoulder, elbow, 0.055, 0.045, shade(self.rider.top, 0.95)),
                         limb(body, hand, hand, 0.036, 0.036, self.rider.skin)):
                part[1](canvas)

        far_leg, near_leg = sorted(legs, key=lambda l: l[0] == near)
        leg(*far_leg)
        arm(-near)
        ring = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        for hub in (rear, front):
            tyre = [body.pixel(hub + np.array([np.cos(a) * self.R, 0, np.sin(a) * self.R])) for a in ring]
            for spoke in np.arange(5) * np.pi / 5 - travelled / self.R:
                d = np.array([np.cos(spoke), 0, np.sin(spoke)]) * self.R
                canvas.line([body.pixel(hub - d), body.pixel(hub + d)], (150, 150, 150), 0.006 * s)
            canvas.line(tyre, (28, 28, 30), 0.045 * s, closed=True)
        head_tube = bar + np.array([-0.03, 0, -0.12])
        for a, b in ((rear, axle), (axle, seat - np.array([0, 0, 0.05])), (seat - np.array([-0.02, 0, 0.14]), head_tube), (axle, head_tube),
                     (rear, seat - np.array([-0.03, 0, 0.14])), (head_tube, front), (head_tube, bar)):
            canvas.line([body.pixel(a), body.pixel(b)], self.frame, 0.042 * s)
        canvas.capsule(body.pixel(seat + np.array([-0.12, 0, 0])), body.pixel(seat + np.array([0.12, 0, 0.01])), 0.035 * s, 0.02 * s, (30, 30, 32))
        if self.basket:
            b = bar + np.array([0.2, 0, -0.1])
            canvas.capsule(body.pixel(b), body.pixel(b + np.array([0, 0, -0.12])), 0.14 * s, 0.11 * s, (70, 110, 150))
        self.rider._torso(body, hip, chest, t, self.rider.build, [np.zeros(3)] * 2)[1](canvas)
        if self.rider.backpack:
            back = chest + np.array([-0.14, 0, 0.0])
            limb(body, back, back + np.array([-0.06, 0, -0.22]), 0.1, 0.12, self.rider.backpack)[1](canvas)
        leg(*near_leg)
        self.rider._head(body, chest, head, t)[1](canvas)
        if self.helmet:
            top = head + np.array([-0.01 * t, 0, 0.025 * t])
            limb(body, top + np.array([-0.05, 0, 0]), top + np.array([0.05, 0, 0.005]), 0.085, 0.08, self.helmet)[1](canvas)
        arm(near)

    def cast(self, shadow, x, z, heading, travelled, speed):
        body = Body(shadow, x, z, heading)
        t, rear, front, axle, seat, bar, hip, chest, head, angle = self._points(travelled)
        for a in np.linspace(0, 2 * np.pi, 10, endpoint=False):
            for hub in (rear, front):
                p = hub + np.array([np.cos(a), 0, np.sin(a)]) * self.R
                q = hub + np.array([np.cos(a + 0.7), 0, np.sin(a + 0.7)]) * self.R
                cast_limb(shadow, body, p, q, 0.03, 0.03)
        for _, start, knee, ankle, _ in self._legs(t, axle, hip, angle):
            cast_limb(shadow, body, start, knee, 0.08, 0.06)
            cast_limb(shadow, body, knee, ankle, 0.06, 0.04)
        for p, q, r in ((seat, axle, 0.03), (axle, bar, 0.03), (hip, chest, 0.13), (chest, bar, 0.05), (head, head, 0.11)):
            cast_limb(shadow, body, p, q, r, r)


CAR_SHAPES = {
    # Profiles along the car in metres (forward, up), from the rear bumper over the roof to the front; then the windows.
    'sedan': dict(
        profile=[(-2.25, 0.35), (-2.28, 0.75), (-2.2, 0.98), (-1.55, 1.04), (-0.95, 1.42), (0.15, 1.47), (0.95, 1.05), (1.9, 0.92), (2.25, 0.72), (2.3, 0.35)],
        windows=[[(-1.38, 1.05), (-0.9, 1.36), (-0.4, 1.4), (-0.4, 1.02)], [(-0.32, 1.02), (-0.32, 1.4), (0.12, 1.41), (0.75, 1.04)]],
        glass=(3, 5), wheels=(-1.35, 1.4), width=1.8),
    'hatch': dict(
        profile=[(-1.9, 0.35), (-1.95, 0.8), (-1.85, 1.1), (-1.5, 1.46), (-0.2, 1.53), (0.35, 1.48), (1.1, 1.05), (1.75, 0.9), (1.98, 0.68), (2.0, 0.35)],
        windows=[[(-1.62, 1.1), (-1.4, 1.4), (-0.5, 1.46), (-0.5, 1.06)], [(-0.42, 1.06), (-0.42, 1.46), (0.3, 1.43), (0.88, 1.06)]],
        glass=(2, 5), wheels=(-1.2, 1.22), width=1.75),
    'suv': dict(
        profile=[(-2.25, 0.42), (-2.3, 0.95), (-2.2, 1.2), (-1.9, 1.68), (-0.2, 1.74), (0.3, 1.68), (1.0, 1.2), (2.05, 1.08), (2.28, 0.85), (2.3, 0.42)],
        windows=[[(-1.98, 1.22), (-1.78, 1.6), (-0.6, 1.66), (-0.6, 1.2)], [(-0.52, 1.2), (-0.52, 1.66), (0.26, 1.62), (0.8, 1.2)]],
        glass=(2, 5), wheels=(-1.38, 1.42), width=1.9),
    'van': dict(
        profile=[(-2.6, 0.4), (-2.65, 1.2), (-2.6, 2.1), (-2.4, 2.2), (0.9, 2.2), (1.35, 2.05), (2.0, 1.25), (2.5, 1.05), (2.62, 0.8), (2.65, 0.4)],
        windows=[[(0.35, 1.3), (0.35, 1.95), (1.18, 1.95), (1.72, 1.3)]],
        glass=(None, 5), wheels=(-1.6, 1.75), width=2.0),
}


@dataclass
class Car:
    """A car seen from the side; its side profile is drawn out over its width, so the roof and an end show as they would."""

    shape: str = 'hatch'
    paint: tuple = (150, 60, 40)
    lights: bool = False
    classes = 'car'

    def _at(self, canvas, x, z, d, along, up, across):
        return canvas.camera.project(np.asarray(x + d * np.asarray(along, float)), np.asarray(z + np.asarray(across, float)), np.asarray(up, float))

    def draw(self, canvas, x, z, heading, travelled, speed):
        d = 1.0 if heading[0] >= 0 else -1.0
        spec = CAR_SHAPES[self.shape]
        profile, width = np.array(spec['profile']), spec['width']
        near, far = -width / 2, width / 2
        s = float(canvas.camera.scale(z + near))

        def point(a, h, c):
            return self._at(canvas, x, z, d, a, h, c)

        under = [point(profile[0][0] + 0.1, 0.16, near + 0.1), point(profile[-1][0] - 0.1, 0.16, near + 0.1), point(profile[-1][0], 0.6, near), point(profile[0][0], 0.6, near)]
        canvas.polygon(under, (22, 22, 24))
        for wheel in spec['wheels']:
            canvas.disc(point(wheel, 0.33, far - 0.15), 0.33 * float(canvas.camera.scale(z + far)), (18, 18, 20))
        faces = []
        for i in range(len(profile) - 1):
            (a0, h0), (a1, h1) = profile[i], profile[i + 1]
            q = np.array([point(a0, h0, near), point(a1, h1, near), point(a1, h1, far), point(a0, h0, far)])
            edge1, edge2 = q[1] - q[0], q[3] - q[0]
            outward = (edge1[0] * edge2[1] - edge1[1] * edge2[0]) * d
            if outward >= 0:
                continue
            slope = abs(a1 - a0) / (np.hypot(a1 - a0, h1 - h0) + 1e-6)
            tone = shade(self.paint, 0.62 + 0.62 * slope)
            if i in (spec['glass'][0], spec['glass'][1]):
                tone = mix((96, 84, 70), (190, 180, 165), 0.35 * slope + 0.1)
            faces.append((q, tone, i))
        for q, tone, i in faces:
            canvas.polygon(q, tone)
            if i in spec['glass']:
                inset = q * 0.86 + q.mean(axis=0) * 0.14
                canvas.line(q, shade(self.paint, 0.8), 0.03 * s, closed=True)
                canvas.polygon(inset, tone)
        side = [point(a, h, near) for a, h in profile]
        canvas.polygon(side, self.paint)
        belt = 0.5 * (profile[0][1] + profile[2][1]) + 0.12
        low = [point(profile[0][0] + 0.02, belt - 0.1, near), point(profile[-1][0] - 0.02, belt - 0.16, near), point(profile[-1][0], profile[-1][1], near), point(profile[0][0], profile[0][1], near)]
        canvas.polygon(low, shade(self.paint, 0.78))
        canvas.line([point(profile[1][0] + 0.1, belt + 0.12, near), point(profile[-2][0] - 0.15, belt + 0.06, near)], shade(mix(self.paint, (255, 255, 255), 0.35), 1.0), 0.025 * s)
        canvas.line([point(profile[0][0] + 0.1, 0.38, near), point(profile[-1][0] - 0.1, 0.38, near)], shade(self.paint, 0.4), 0.07 * s)
        for window in spec['windows']:
            w = np.array([point(a, h, near) for a, h in window])
            canvas.polygon(w, (62, 52, 44))
            glare = w * 0.9 + w.mean(axis=0) * 0.1
            canvas.polygon([glare[0] * 0.4 + glare[1] * 0.6, glare[1], glare[2] * 0.7 + glare[1] * 0.3, glare[0] * 0.75 + glare[3] * 0.25], (118, 104, 90))
        door = spec['windows'][-1][0][0] - 0.04
        canvas.line([point(door, profile[0][1] + 0.06, near), point(door, spec['windows'][-1][0][1], near)], shade(self.paint, 0.6), 0.018 * s)
        canvas.capsule(point(door - 0.28, belt + 0.16, near), point(door - 0.14, belt + 0.16, near), 0.018 * s, 0.018 * s, shade(self.paint, 0.5))
        front, rear = profile[-2], profile[1]
        canvas.capsule(point(front[0] - 0.22, front[1] + 0.02, near), point(front[0] - 0.06, front[1] - 0.02, near), 0.06 * s, 0.05 * s, (235, 250, 255) if self.lights else (205, 212, 215))
        canvas.capsule(point(rear[0] + 0.06, rear[1] + 0.05, near), point(rear[0] + 0.18, rear[1] + 0.07, near), 0.055 * s, 0.05 * s, (40, 40, 190))
        mirror = spec['windows'][-1][-1]
        canvas.capsule(point(mirror[0] - 0.1, mirror[1] + 0.05, near - 0.12), point(mirror[0] - 0.02, mirror[1] + 0.07, near - 0.12), 0.06 * s, 0.05 * s, shade(self.paint, 0.9))
        for wheel in spec['wheels']:
            hub = point(wheel, 0.33, near)
            canvas.disc(point(wheel, 0.36, near), 0.395 * s, (24, 24, 26))
            canvas.disc(hub, 0.325 * s, (38, 38, 40))
            canvas.disc(hub, 0.215 * s, (150, 150, 152))
            for a in np.arange(5) * 2 * np.pi / 5 + travelled / 0.33 * d:
                tip = hub + 0.19 * s * np.array([np.cos(a), np.sin(a)])
                canvas.line([hub, tip], (84, 84, 88), 0.05 * s)
            canvas.disc(hub, 0.06 * s, (90, 90, 94))

    def cast(self, shadow, x, z, heading, travelled, speed):
        d = 1.0 if heading[0] >= 0 else -1.0
        spec = CAR_SHAPES[self.shape]
        for across in (-spec['width'] / 2, 0.0, spec['width'] / 2):
            p = np.array(spec['profile'])
            ring = shadow.ground(x + d * p[:, 0], z + across, p[:, 1] * 0.9)
            base = shadow.ground(x + d * p[::-1, 0], z + across, p[::-1, 1] * 0.0)
            shadow.polygon(np.concatenate([ring, base]))
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        shadow.polygon([shadow.ground(x + d * a * 2.25, z + b * spec['width'] / 2 * 1.05, 0.0) for a, b in corners])
