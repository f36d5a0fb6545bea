//! One packet in, the front pair of its audio out: AAC and Opus by their own decoders, the rest by symphonia's.

use symphonia::core::audio::{Channels, GenericAudioBufferRef, Position};
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known as id,
};
use symphonia::core::packet::Packet;

use super::elementary::aac_layout;
use super::mix::{Front, Layout};

/// A decoder of a container's packets.
pub(super) enum Packets {
    Aac(Box<AacPackets>),
    Opus(OpusPackets),
    Symphonia(SymphoniaPackets),
}

impl Packets {
    /// Makes the decoder for a track. `Err` holds the codec's name where there is none.
    pub(super) fn new(params: &AudioCodecParameters) -> Result<Self, String> {
        let extra = params.extra_data.as_deref().unwrap_or(&[]);
        let none = || codec_name(params).to_owned();
        match params.codec {
            id::CODEC_ID_AAC => AacPackets::new(extra).map(|aac| Self::Aac(Box::new(aac))).ok_or_else(none),
            id::CODEC_ID_OPUS => {
                OpusPackets::new(extra, params).map(Self::Opus).ok_or_else(|| "surround Opus".to_owned())
            }
            _ => SymphoniaPackets::new(params).map(Self::Symphonia).ok_or_else(none),
        }
    }

    /// Decodes a packet; `false` where it is damaged. `front` is empty when it holds no audio to be heard.
    pub(super) fn decode(&mut self, packet: &Packet, front: &mut Front) -> bool {
        match self {
            Self::Aac(aac) => aac.decode(&packet.data, front),
            Self::Opus(opus) => opus.decode(&packet.data, front),
            Self::Symphonia(other) => other.decode(packet, front),
        }
    }

    /// The codec's common name.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Aac(aac) => aac.name().to_owned(),
            Self::Opus(_) => "Opus".to_owned(),
            Self::Symphonia(other) => other.name.to_owned(),
        }
    }
}

/// AAC access units: LC, HE (with its upper band and parametric stereo), LD.
pub(super) struct AacPackets {
    decoder: syom::Decoder,
    config: Vec<u8>,
    /// Output rate above the core's, parametric stereo: what was heard so far.
    upper_band: bool,
}

impl AacPackets {
    /// Starts from an `AudioSpecificConfig`; `None` for object types that are not decoded.
    pub(super) fn new(config: &[u8]) -> Option<Self> {
        let options = syom::DecodeOptions::unbounded().with_max_sample_rate(192_000);
        let decoder = syom::Decoder::from_asc(config, options).ok()?;
        Some(Self { decoder, config: config.to_vec(), upper_band: false })
    }

    /// Decodes one access unit; `false` where it is damaged.
    pub(super) fn decode(&mut self, unit: &[u8], front: &mut Front) -> bool {
        front.clear();
        let upper_band = &mut self.upper_band;
        let result = self.decoder.decode_au(unit, |frame| {
            front.take(frame.sample_rate, frame.planar, aac_layout(frame.planar.len()));
            *upper_band |= frame.meta.output_rate > frame.meta.core_rate;
            Ok(())
        });
        if result.is_err() {
            // An error ends this decoder's stream; the next unit starts afresh.
            self.decoder.reset();
            let _ = self.decoder.set_asc(&self.config);
        }
        result.is_ok()
    }

    pub(super) fn name(&self) -> &'static str {
        if self.upper_band { "HE-AAC" } else { "AAC" }
    }
}

/// Opus packets with the identification header of RFC 7845.
pub(super) struct OpusPackets {
    decoder: Box<opus_rs::OpusDecoder>,
    channels: usize,
    /// Samples still to be dropped at the start (the header's pre-skip).
    skip: usize,
    pcm: Vec<f32>,
    planes: Vec<Vec<f32>>,
}

/// Opus decodes at this rate whatever was put in.
const OPUS_RATE_HZ: u32 = 48_000;

/// The longest Opus packet: 120 ms.
const OPUS_FRAMES_MAX: usize = 5760;

impl OpusPackets {
    /// Starts from the identification header; `None` for several streams in one (surround).
    fn new(head: &[u8], params: &AudioCodecParameters) -> Option<Self> {
        let head = head.strip_prefix(b"OpusHead").unwrap_or(&[]);
        let fallback = params.channels.as_ref().map_or(2, Channels::count);
        let channels = head.get(1).map_or(fallback, |count| usize::from(*count));
        let skip = head.get(2..4).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
        let one_stream = head.get(10).copied().unwrap_or(0) == 0 || head.get(11) == Some(&1);
        if !one_stream || !(1..=2).contains(&channels) {
            return None;
        }
        let decoder = Box::new(opus_rs::OpusDecoder::new(OPUS_RATE_HZ.cast_signed(), channels).ok()?);
        let pcm = vec![0.0; OPUS_FRAMES_MAX * channels];
        Some(Self { decoder, channels, skip, pcm, planes: vec![Vec::new(); channels] })
    }

    fn decode(&mut self, packet: &[u8], front: &mut Front) -> bool {
        front.clear();
        if packet.is_empty() {
            return true;
        }
        let Ok(frames) = self.decoder.decode(packet, OPUS_FRAMES_MAX, &mut self.pcm) else {
            return false;
        };
        let skip = self.skip.min(frames);
        self.skip -= skip;
        let heard = self.pcm.get(skip * self.channels..frames * self.channels).unwrap_or(&[]);
        for (at, plane) in self.planes.iter_mut().enumerate() {
            plane.clear();
            plane.extend(heard.iter().skip(at).step_by(self.channels));
        }
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        front.take(OPUS_RATE_HZ, &planes, Layout::PAIR);
        true
    }
}

/// All other codecs.
pub(super) struct SymphoniaPackets {
    decoder: Box<dyn AudioDecoder>,
    name: &'static str,
    planes: Vec<Vec<f32>>,
}

impl SymphoniaPackets {
    fn new(params: &AudioCodecParameters) -> Option<Self> {
        // Trimming is ours: the decoders would also cut at a length that is only an estimate in some containers.
        let options = AudioDecoderOptions::default().gapless(false);
        let decoder = symphonia::default::get_codecs().make_audio_decoder(params, &options).ok()?;
        let short_name = decoder.codec_info().short_name;
        let known = codec_name(params);
        let name = if known == UNKNOWN && short_name.starts_with("pcm_") { "PCM" } else { known };
        Some(Self { decoder, name, planes: Vec::new() })
    }

    fn decode(&mut self, packet: &Packet, front: &mut Front) -> bool {
        front.clear();
        let Ok(audio) = self.decoder.decode(packet) else { return false };
        let rate_hz = audio.spec().rate();
        let layout = layout(&audio);
        audio.copy_to_vecs_planar(&mut self.planes);
        let skip = packet.trim_start.get() as usize;
        let planes: Vec<&[f32]> = self.planes.iter().map(|plane| plane.get(skip..).unwrap_or(&[])).collect();
        front.take(rate_hz, &planes, layout);
        true
    }
}

/// Finds the front pair and the centre.
fn layout(audio: &GenericAudioBufferRef<'_>) -> Layout {
    let channels = audio.spec().channels();
    let Channels::Positioned(positions) = channels else { return Layout::wave(channels.count()) };
    let index = |position| {
        positions
            .contains(position)
            .then(|| channels.get_canonical_index_for_positioned_channel(position))
            .flatten()
    };
    match (index(Position::FRONT_LEFT), index(Position::FRONT_RIGHT)) {
        (Some(left), Some(right)) => Layout { left, right, centre: index(Position::FRONT_CENTER) },
        _ => Layout::PAIR,
    }
}

/// The codec's common name.
pub(super) fn codec_name(params: &AudioCodecParameters) -> &'static str {
    match params.codec {
        id::CODEC_ID_AAC => "AAC",
        id::CODEC_ID_OPUS => "Opus",
        id::CODEC_ID_VORBIS => "Vorbis",
        id::CODEC_ID_FLAC => "FLAC",
        id::CODEC_ID_ALAC => "ALAC",
        id::CODEC_ID_MP1 => "MP1",
        id::CODEC_ID_MP2 => "MP2",
        id::CODEC_ID_MP3 => "MP3",
        id::CODEC_ID_AC3 => "AC-3",
        id::CODEC_ID_SPEEX => "Speex",
        id::CODEC_ID_PCM_ALAW => "PCM A-law",
        id::CODEC_ID_PCM_MULAW => "PCM u-law",
        id::CODEC_ID_ADPCM_IMA_WAV | id::CODEC_ID_ADPCM_IMA_QT | id::CODEC_ID_ADPCM_MS => "ADPCM",
        _ => UNKNOWN,
    }
}

const UNKNOWN: &str = "a codec that is not decoded here";
