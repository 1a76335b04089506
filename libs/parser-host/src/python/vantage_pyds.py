"""What custom parsers use of NVIDIA's pyds, as plain objects that remember what was added to the frame.

Names follow the DeepStream Python API reference. Nothing is drawn here: the worker reads the objects, lines, circles,
rectangles and texts after add_custom_to_meta has returned.
"""

MAX_ELEMENTS_IN_DISPLAY_META = 16
UNTRACKED_OBJECT_ID = 0xFFFFFFFFFFFFFFFF


class _Meta:
    """Any attribute can be set, as examples set many that mean nothing here."""

    @classmethod
    def cast(cls, data):
        return data


class NvOSD_ColorParams(_Meta):
    def __init__(self, red=0.0, green=0.0, blue=0.0, alpha=0.0):
        self.set(red, green, blue, alpha)

    def set(self, red, green, blue, alpha):
        self.red, self.green, self.blue, self.alpha = red, green, blue, alpha


class NvOSD_FontParams(_Meta):
    def __init__(self):
        self.font_name = "Serif"
        self.font_size = 10
        self.font_color = NvOSD_ColorParams(1.0, 1.0, 1.0, 1.0)


class NvOSD_TextParams(_Meta):
    def __init__(self):
        self.display_text = None
        self.x_offset = self.y_offset = 0
        self.font_params = NvOSD_FontParams()
        self.set_bg_clr = 0
        self.text_bg_clr = NvOSD_ColorParams()


class NvOSD_RectParams(_Meta):
    def __init__(self):
        self.left = self.top = self.width = self.height = 0.0
        self.border_width = 0
        self.border_color = NvOSD_ColorParams()
        self.has_bg_color = 0
        self.bg_color = NvOSD_ColorParams()


class NvOSD_LineParams(_Meta):
    def __init__(self):
        self.x1 = self.y1 = self.x2 = self.y2 = 0
        self.line_width = 0
        self.line_color = NvOSD_ColorParams()


class NvOSD_ArrowParams(_Meta):
    def __init__(self):
        self.x1 = self.y1 = self.x2 = self.y2 = 0
        self.arrow_width = 0
        self.arrow_head = 0
        self.arrow_color = NvOSD_ColorParams()


class NvOSD_CircleParams(_Meta):
    def __init__(self):
        self.xc = self.yc = self.radius = 0
        self.circle_color = NvOSD_ColorParams()
        self.has_bg_color = 0
        self.bg_color = NvOSD_ColorParams()


class NvDsDisplayMeta(_Meta):
    def __init__(self):
        def params(kind):
            return [kind() for _ in range(MAX_ELEMENTS_IN_DISPLAY_META)]

        self.num_rects = self.num_labels = self.num_lines = self.num_arrows = self.num_circles = 0
        self.rect_params = params(NvOSD_RectParams)
        self.text_params = params(NvOSD_TextParams)
        self.line_params = params(NvOSD_LineParams)
        self.arrow_params = params(NvOSD_ArrowParams)
        self.circle_params = params(NvOSD_CircleParams)


class NvDsLabelInfo(_Meta):
    def __init__(self):
        self.result_class_id = self.label_id = 0
        self.result_prob = 0.0
        self.result_label = ""


class NvDsClassifierMeta(_Meta):
    def __init__(self):
        self.unique_component_id = 0
        self.classifier_type = ""
        self.labels = []

    @property
    def num_labels(self):
        return len(self.labels)


class NvBbox_Coords(_Meta):
    def __init__(self):
        self.left = self.top = self.width = self.height = 0.0


class NvDsComp_BboxInfo(_Meta):
    def __init__(self):
        self.org_bbox_coords = NvBbox_Coords()


class NvDsObjectMeta(_Meta):
    def __init__(self):
        self.unique_component_id = 0
        self.class_id = 0
        self.object_id = UNTRACKED_OBJECT_ID
        self.confidence = 0.0
        self.obj_label = ""
        self.rect_params = NvOSD_RectParams()
        self.text_params = NvOSD_TextParams()
        self.detector_bbox_info = NvDsComp_BboxInfo()
        self.tracker_bbox_info = NvDsComp_BboxInfo()
        self.parent = None
        self.classifiers = []

    @property
    def classifier_meta_list(self):
        return _linked(self.classifiers)


class NvDsFrameMeta(_Meta):
    def __init__(self, frame_num=0, width=0, height=0):
        self.frame_num = frame_num
        self.source_id = self.pad_index = self.batch_id = 0
        self.source_frame_width, self.source_frame_height = width, height
        self.pipeline_width, self.pipeline_height = width, height
        self.ntp_timestamp = self.buf_pts = 0
        self.bInferDone = False
        self.objects = []
        self.displays = []

    @property
    def num_obj_meta(self):
        return len(self.objects)

    @property
    def obj_meta_list(self):
        return _linked(self.objects)

    @property
    def display_meta_list(self):
        return _linked(self.displays)

    frame_user_meta_list = None


class NvDsBatchMeta(_Meta):
    def __init__(self, frame):
        self.frames = [frame]
        self.num_frames_in_batch = self.max_frames_in_batch = 1

    @property
    def frame_meta_list(self):
        return _linked(self.frames)


class _Node:
    def __init__(self, items, index):
        self._items, self._index = items, index
        self.data = items[index]

    @property
    def next(self):
        if self._index + 1 >= len(self._items):
            raise StopIteration
        return _Node(self._items, self._index + 1)


def _linked(items):
    return _Node(items, 0) if items else None


def nvds_acquire_obj_meta_from_pool(batch_meta):
    return NvDsObjectMeta()


def nvds_acquire_display_meta_from_pool(batch_meta):
    return NvDsDisplayMeta()


def nvds_acquire_classifier_meta_from_pool(batch_meta):
    return NvDsClassifierMeta()


def nvds_acquire_label_info_meta_from_pool(batch_meta):
    return NvDsLabelInfo()


def nvds_add_obj_meta_to_frame(frame_meta, obj_meta, parent):
    obj_meta.parent = parent
    frame_meta.objects.append(obj_meta)


def nvds_add_display_meta_to_frame(frame_meta, display_meta):
    frame_meta.displays.append(display_meta)


def nvds_add_classifier_meta_to_object(obj_meta, classifier_meta):
    obj_meta.classifiers.append(classifier_meta)


def nvds_add_label_info_meta_to_classifier(classifier_meta, label_info):
    classifier_meta.labels.append(label_info)


def nvds_remove_obj_meta_from_frame(frame_meta, obj_meta):
    frame_meta.objects = [known for known in frame_meta.objects if known is not obj_meta]


def nvds_clear_obj_meta_list(frame_meta, obj_meta_list=None):
    frame_meta.objects = []


def nvds_acquire_meta_lock(batch_meta):
    pass


def nvds_release_meta_lock(batch_meta):
    pass


def get_string(text):
    return text


def free_buffer(text):
    pass


def __getattr__(name):
    raise AttributeError(
        "pyds.%s is not there in a custom parser: objects, classifications and display meta can be added, "
        "buffers and tensors of the pipeline cannot be reached" % name
    )
