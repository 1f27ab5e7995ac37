"""Movies: exact frames, exact rates, true colours, and damage said."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.files import appearing
from artifexpro.core.media.movie import Codec, MovieReader, MovieWriter

MakePicture = Callable[..., torch.Tensor]
FRAMES = 30
RATE = Fraction(24000, 1001)
CODECS: list[tuple[str, Codec, bool, float]] = [
    (".mp4", "h264", False, 6 / 255),
    (".mov", "h264", False, 6 / 255),
    (".mkv", "h264", False, 6 / 255),
    (".mov", "prores4444", True, 1 / 255),
    (".mkv", "ffv1", True, 1 / 65535),
]


def write(path: Path, pictures: list[torch.Tensor], codec: Codec = "h264", rate: Fraction = RATE, crf: int = 8) -> Path:
    size = pictures[0].shape[3], pictures[0].shape[2]
    with appearing(path) as part, MovieWriter(part, codec, rate, size, crf) as movie:
        for picture in pictures:
            movie.add(picture)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, soft_picture: MakePicture) -> Path:
    pictures = [soft_picture(160, 96, phase=frame / 5) for frame in range(FRAMES)]
    return write(tmp_path_factory.mktemp("movie") / "clip.mp4", pictures)


@pytest.mark.parametrize(("ending", "codec", "alpha", "tolerance"), CODECS)
def test_every_frame_is_found_in_any_order(
    tmp_path: Path, soft_picture: MakePicture, ending: str, codec: Codec, alpha: bool, tolerance: float
) -> None:
    pictures = [soft_picture(160, 96, phase=frame / 5, alpha=alpha) for frame in range(FRAMES)]
    path = write(tmp_path / f"clip{ending}", pictures, codec)
    with MovieReader(path) as movie:
        assert (movie.info.frames, movie.info.rate) == (FRAMES, RATE)
        assert (movie.info.width, movie.info.height, movie.info.alpha) == (160, 96, alpha)
        for frame in (0, 29, 13, 14, 12, 0, 28, 29, 7):
            shown = movie.frame(frame, space="ACEScg")
            distance = [float((shown - picture).abs().mean()) for picture in pictures]
            assert distance.index(min(distance)) == frame
            assert (shown - pictures[frame]).abs().max() < tolerance


@pytest.mark.parametrize(("ending", "codec", "alpha", "tolerance"), CODECS)
def test_equal_pictures_give_equal_bytes(
    tmp_path: Path, soft_picture: MakePicture, ending: str, codec: Codec, alpha: bool, tolerance: float
) -> None:
    pictures = [soft_picture(64, 48, phase=frame, alpha=alpha) for frame in range(5)]
    a, b = (write(tmp_path / f"{name}{ending}", pictures, codec) for name in "ab")
    assert a.read_bytes() == b.read_bytes()


@pytest.mark.parametrize(("ending", "codec", "alpha", "tolerance"), CODECS)
def test_grey_levels_have_no_bias(tmp_path: Path, ending: str, codec: Codec, alpha: bool, tolerance: float) -> None:
    """Black stays black and white stays white: the traps of swscale's default rounding and of its 16 bit white."""
    grey = torch.linspace(0, 1, 64).expand(1, 4, 48, 64).contiguous(memory_format=torch.channels_last).clone()
    grey[:, 3] = 1
    path = write(tmp_path / f"grey{ending}", [grey], codec, crf=0)
    with MovieReader(path) as movie:
        error = movie.frame(0, space="ACEScg") - grey
    assert error[:, 3].abs().max() == 0
    assert error.abs().max() < 1.5 / 255
    assert error.mean().abs() < 0.1 / 255


@pytest.mark.parametrize(("ending", "codec", "alpha", "tolerance"), CODECS)
def test_a_smaller_size_is_the_mean_of_the_larger(
    tmp_path: Path, soft_picture: MakePicture, ending: str, codec: Codec, alpha: bool, tolerance: float
) -> None:
    path = write(tmp_path / f"clip{ending}", [soft_picture(160, 96, alpha=alpha)], codec)
    with MovieReader(path) as movie:
        small, whole = movie.frame(0, (40, 24), "ACEScg"), movie.frame(0, space="ACEScg")
    torch.testing.assert_close(small, torch.nn.functional.avg_pool2d(whole, 4), atol=1.5 / 255, rtol=0)


def test_it_says_what_it_is(clip: Path) -> None:
    with av.open(str(clip)) as file:
        track = file.streams.video[0]
        context = track.codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        assert (track.average_rate, track.frames, context.pix_fmt) == (RATE, FRAMES, "yuv420p")
        assert [packet.pts for packet in file.demux(track) if packet.pts is not None][:1] == [0]


def test_luma_is_that_of_bt709(tmp_path: Path) -> None:
    colours = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]])
    picture = torch.ones(1, 4, 32, 128)
    picture[0, :3] = colours.repeat_interleave(32, 0).T.unsqueeze(1).expand(3, 32, 128)
    path = write(tmp_path / "bars.mp4", [picture.contiguous(memory_format=torch.channels_last)], crf=0)
    with av.open(str(path)) as file:
        luma = next(file.decode(video=0)).to_ndarray()[:32]
    expected = 16 + 219 * colours @ torch.tensor([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(luma[16, 16::32], expected, atol=0.6)


def test_alpha_is_dropped_onto_black(tmp_path: Path, soft_picture: MakePicture) -> None:
    picture = soft_picture(64, 48, alpha=True)
    with MovieReader(write(tmp_path / "clip.mp4", [picture])) as movie:
        shown = movie.frame(0, space="ACEScg")
    torch.testing.assert_close(shown[:, :3], picture[:, :3], atol=8 / 255, rtol=0)
    assert (shown[:, 3] == 1).all()


def test_odd_sizes_are_refused_where_the_codec_cannot(tmp_path: Path, soft_picture: MakePicture) -> None:
    with pytest.raises(ArtifexError, match="even sizes only"):
        write(tmp_path / "odd.mp4", [soft_picture(63, 48)])
    assert list(tmp_path.iterdir()) == []
    with MovieReader(write(tmp_path / "odd.mov", [soft_picture(63, 47)], "prores4444")) as movie:
        assert (movie.info.width, movie.info.height) == (63, 47)


def test_a_frame_outside_is_refused_with_the_range(clip: Path) -> None:
    with MovieReader(clip) as movie:
        for frame in (-1, FRAMES):
            with pytest.raises(ArtifexError, match="frames 0 to 29"):
                movie.frame(frame)


def test_a_clip_of_varying_rate_is_conformed(tmp_path: Path, soft_picture: MakePicture) -> None:
    """Pictures at 0, 1, 4 and 5 of 25 frames a second: picture 1 stands for three frames."""
    path = tmp_path / "varying.mp4"
    with av.open(str(path), "w") as file:
        track = file.add_stream("libx264", rate=25, options={"crf": "4", "bf": "0"})
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        for number, at in enumerate((0, 1, 4, 5)):
            array = np.full((48, 64, 3), 40 + 50 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 25)
            file.mux(track.encode(frame))
        file.mux(track.encode())
    with MovieReader(path) as movie:
        rate = movie.info.rate
        shown = [
            round((float(movie.frame(n, space="ACEScg")[0, 0].mean()) * 255 - 40) / 50)
            for n in range(movie.info.frames)
        ]
    times = [0, 1, 4, 5]
    expected = [max(i for i, at in enumerate(times) if at <= (n + 0.5) / rate * 25) for n in range(len(shown))]
    assert shown == expected
    assert len(shown) > 2


def test_a_turned_phone_clip_stands_upright(tmp_path: Path) -> None:
    """The display matrix of an upright phone turns the picture a quarter clockwise."""
    picture = torch.zeros(1, 4, 32, 64)
    picture[:, 3] = 1
    picture[:, 0, :, :32] = 0.8
    path = write(tmp_path / "phone.mp4", [picture.contiguous(memory_format=torch.channels_last)])
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one = 0x10000
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 32 * one, 0, 0x40000000)
    path.write_bytes(data)
    with MovieReader(path) as movie:
        assert (movie.info.width, movie.info.height) == (32, 64)
        red = movie.frame(0, space="ACEScg")[0, 0]
        small = movie.frame(0, (16, 32), "ACEScg")[0, 0]
    assert red[:28].mean() > 0.7
    assert red[36:].mean() < 0.1
    assert small.shape == (32, 16)
    assert small[:14].mean() > 0.7


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_a_cut_off_movie_is_refused(tmp_path: Path, soft_picture: MakePicture, ending: str, share: float) -> None:
    pictures = [soft_picture(64, 48, phase=frame) for frame in range(FRAMES)]
    path = write(tmp_path / f"clip{ending}", pictures)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ArtifexError, match=str(path)) as refusal, MovieReader(path) as movie:
        for frame in range(FRAMES):
            movie.frame(frame)
    assert refusal.value.code == "damaged"


def test_after_damage_good_frames_are_still_read(tmp_path: Path, soft_picture: MakePicture) -> None:
    pictures = [soft_picture(64, 48, phase=frame / 5) for frame in range(FRAMES)]
    path = write(tmp_path / "clip.mp4", pictures)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6)])
    with MovieReader(path) as movie:
        with pytest.raises(ArtifexError):
            movie.frame(FRAMES - 1)
        assert (movie.frame(2, space="ACEScg") - pictures[2]).abs().max() < 10 / 255


def test_what_is_no_movie_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_text("hello")
    with pytest.raises(ArtifexError, match="not a whole movie"):
        MovieReader(tmp_path / "clip.mp4")
    with pytest.raises(ArtifexError, match="no such file"):
        MovieReader(tmp_path / "other.mp4")


def test_hdr_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "hdr.mov"
    with av.open(str(path), "w") as file:
        track = file.add_stream("libx264", rate=24)
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        track.codec_context.color_primaries, track.codec_context.color_trc, track.codec_context.colorspace = 9, 16, 9
        frame = av.VideoFrame(64, 48, "yuv420p")
        frame.pts = 0
        file.mux(track.encode(frame))
        file.mux(track.encode())
    with MovieReader(path) as movie:
        with pytest.raises(ArtifexError, match="rec2100_pq_display"):
            movie.space()
        assert movie.space("rec2100_pq_display") == "rec2100_pq_display"
        assert movie.frame(0, space=movie.space("rec2100_pq_display")).shape == (1, 4, 48, 64)
