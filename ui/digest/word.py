"""What pandoc leaves plain in a Word document: small type and lines in its table, A4 paper. Pure."""

from __future__ import annotations

import io
import re
import zipfile

# In twentieths of a point: A4, its margins, and what those leave of a landscape page's width.
_SHORT, _LONG, _MARGIN = 11906, 16838, 1247
_WIDE = _LONG - 2 * _MARGIN
_EDGES = "".join(f'<w:{edge} w:val="single" w:sz="4" w:space="0" w:color="BFBFBF"/>'
                 for edge in ("top", "left", "bottom", "right", "insideH", "insideV"))
_BORDERS = f"<w:tblBorders>{_EDGES}</w:tblBorders>"
_COLUMN = re.compile(r'<w:gridCol w:w="(\d+)"')


def turned(*, landscape: bool) -> str:
    """The end of a section of pages, in Word's own language: what stands before it lies so."""
    return f"<w:p><w:pPr><w:sectPr>{_page(landscape=landscape)}</w:sectPr></w:pPr></w:p>"


def dressed(content: bytes) -> bytes:
    """The document with its table as wide as a landscape page, ruled, in small type."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for item in given.infolist():
            data = given.read(item)
            if item.filename == "word/styles.xml":
                data = _styled(data.decode()).encode()
            elif item.filename == "word/document.xml":
                data = _laid_out(data.decode()).encode()
            made.writestr(item, data)
    return out.getvalue()


def _styled(xml: str) -> str:
    xml = _within(xml, "Compact", "</w:pPr>", '</w:pPr><w:rPr><w:sz w:val="16"/><w:szCs w:val="16"/></w:rPr>')
    xml = _within(xml, "Table", "<w:tblCellMar>", f"{_BORDERS}<w:tblCellMar>")
    return xml.replace('<w:sz w:val="24" />', '<w:sz w:val="22" />', 1).replace(
        '<w:szCs w:val="24" />', '<w:szCs w:val="22" />', 1)


def _within(xml: str, style: str, old: str, new: str) -> str:
    at = xml.find(f'w:styleId="{style}"')
    return xml[:at] + xml[at:].replace(old, new, 1) if at >= 0 else xml


def _laid_out(xml: str) -> str:
    columns = [int(width) for width in _COLUMN.findall(xml)]
    if columns:
        share = _WIDE / sum(columns)
        xml = _COLUMN.sub(lambda match: f'<w:gridCol w:w="{round(int(match.group(1)) * share)}"', xml)
    before, end, after = xml.rpartition("</w:sectPr>")
    return f"{before}{_page(landscape=False)}{end}{after}" if end else xml


def _page(*, landscape: bool) -> str:
    wide, high = (_LONG, _SHORT) if landscape else (_SHORT, _LONG)
    orient = ' w:orient="landscape"' if landscape else ""
    margins = " ".join(f'w:{edge}="{_MARGIN}"' for edge in ("top", "right", "bottom", "left"))
    return (f'<w:pgSz w:w="{wide}" w:h="{high}"{orient}/><w:pgMar {margins} w:header="709" w:footer="709" '
            'w:gutter="0"/>')
