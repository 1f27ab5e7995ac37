"""What a prompt can say about how it is filmed, as data: concepts, the words for each in six languages, and which
concepts exclude each other.

Words are pooled over English, German, French, Spanish, Chinese and Japanese, because prompts mix them. One that ends in
"*" stands for all its endings; Chinese and Japanese ones are looked for anywhere. Too many words cost a sentence that
could have been added; too few let one be added that contradicts, so when in doubt a word is listed.
"""

from __future__ import annotations

from dataclasses import dataclass

# ruff: noqa: E501


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing a prompt can say. What shares a `topic` is one matter: who says something of it has decided it."""

    name: str
    topic: str
    words: tuple[str, ...]


def _of(name: str, topic: str, *words: str) -> Concept:
    return Concept(name, topic, tuple(word.strip() for line in words for word in line.split(",")))


CONCEPTS: tuple[Concept, ...] = (
    _of(
        "static camera", "camera",
        "static camera, static shot, fixed camera, fixed shot, camera fixed, camera is fixed, camera is static, locked-off, locked off, locked shot, tripod, still camera, camera does not move, camera doesn't move, camera stays still, no camera movement, without camera movement",
        "statische kamera, statische einstellung, feste kamera, fixe kamera, starre kamera, feststehende kamera, unbewegte kamera, kamera steht, kamera bewegt sich nicht, stativ, keine kamerabewegung, ohne kamerabewegung",
        "caméra fixe, plan fixe, caméra statique, caméra immobile, trépied, sans mouvement de caméra, aucun mouvement de caméra",
        "cámara fija, cámara estática, cámara inmóvil, plano fijo, plano estático, trípode, sin movimiento de cámara",
        "固定镜头, 固定机位, 镜头固定, 静态镜头, 镜头不动, 机位不动, 三脚架, 没有镜头运动",
        "固定カメラ, カメラ固定, カメラは固定, カメラを固定, カメラは動かない, カメラが動かない, カメラは動かさない, カメラを動かさない, カメラは静止, 三脚, 定点",
    ),
    _of(
        "camera movement", "camera",
        "pans, panning, camera pan, slow pan, pan left, pan right, pan across, pan over, tilt up, tilt down, tilts, tilting, zoom, zooms, zooming, dolly, tracking shot, tracks, orbits, orbiting, crane shot, crane up, crane down, drone shot, drone footage, drone, flyover, fly-over, push in, push-in, pull back, pull-back, steadicam, camera moves, camera movement, moving camera, camera follows, camera circles, camera glides, camera flies",
        "schwenk*, kamerafahrt*, kamera fährt, kamera folgt, kamera bewegt sich, kamera kreist, kamera schwebt, kamera zoomt, zoomt, drohnen*, drohne, kran*",
        "travelling, panoramique, caméra suit, caméra avance, caméra recule, caméra tourne, caméra bouge, caméra glisse, zoom avant, zoom arrière",
        "travelín, travelling, paneo, cámara sigue, cámara se mueve, cámara avanza, cámara gira, cámara retrocede, dron, zoom",
        "推镜, 拉镜, 摇镜, 移镜, 跟拍, 推近, 拉远, 推进, 环绕, 航拍, 镜头移动, 镜头跟随, 镜头缓缓, 镜头慢慢, 运镜, 变焦",
        "パンする, パンし, パンショット, ドリー, ズーム, ドローン, カメラが動き, カメラが動く, カメラが追, カメラが回, カメラが移動, カメラが近づ, 空撮, 追跡ショット",
    ),
    _of(
        "handheld", "camera",
        "handheld, hand-held, hand held, shaky camera, shaky cam, handkamera, wackelkamera, wacklige kamera, caméra à l'épaule, caméra portée, cámara en mano, cámara al hombro, 手持, 手持ち, 手ブレ",
    ),
    _of(
        "camera", "camera",
        "camera, cameras, shot, angle, viewpoint, kamera*, kameraperspektive, einstellung, caméra, plan, cámara, plano, 镜头, 机位, 视角, カメラ, ショット, アングル",
    ),
    _of(
        "close-up", "framing",
        "close-up, close-ups, close up, closeup, macro, nahaufnahme*, großaufnahme*, grossaufnahme*, makro*, gros plan, primer plano, primerísimo*, 特写, 近景, 微距, クローズアップ, 接写, アップで, マクロ",
    ),
    _of(
        "wide shot", "framing",
        "wide shot, wide-angle, wide angle, establishing shot, long shot, panoramic view, totale, weitwinkel*, panorama*, plan large, plan d'ensemble, grand angle, plano general, gran angular, panorámica, 全景, 远景, 广角, ワイドショット, 広角, 遠景, 全景",
    ),
    _of(
        "other framing", "framing",
        "medium shot, aerial, bird's-eye, bird's eye, top-down, overhead, from above, low angle, low-angle, from below, high angle, over the shoulder, point of view, pov, halbtotale, halbnah, luftaufnahme*, vogelperspektive, von oben, froschperspektive, von unten",
        "plan moyen, vue aérienne, vue du ciel, d'en haut, plongée, contre-plongée, plano medio, vista aérea, desde arriba, a vista de pájaro, cenital, contrapicado, picado, desde abajo, 中景, 俯拍, 俯视, 鸟瞰, 仰拍, 低角度, 主观视角, ミディアム, 俯瞰, 上空から, 真上から, ローアングル, 見上げ, 主観",
    ),
    _of(
        "blurred", "lens",
        "blur*, out of focus, soft focus, unscharf*, unschärfe*, verschwommen*, weichzeichner, flou, floue, flous, desenfo*, borros*, 模糊, 柔焦, ぼかし, ぼやけ, ソフトフォーカス",
    ),
    _of(
        "shallow focus", "lens",
        "bokeh, shallow depth, shallow focus, shallow depth of field, geringe schärfentiefe, faible profondeur de champ, poca profundidad de campo, 虚化, 浅景深, ボケ, 浅い被写界",
    ),
    _of(
        "lens", "lens",
        "lens, lenses, mm, 24mm, 28mm, 35mm, 50mm, 85mm, 100mm, 135mm, focal, fisheye, fish-eye, anamorphic, telephoto, focus, depth of field, sharp, crisp, objektiv*, brennweite, tele, teleobjektiv, fischauge*, schärfe*, scharf, scharfe, scharfer, tiefenschärfe, objectif, focale, profondeur de champ, netteté, mise au point",
        "objetivo, distancia focal, ojo de pez, enfoque, nítid*, profundidad de campo, 镜片, 焦距, 焦点, 景深, 鱼眼, 清晰, 锐利, レンズ, 焦点, ピント, 魚眼, 被写界深度, 望遠, シャープ, 鮮明",
    ),
    _of(
        "night", "light",
        "night, nights, nighttime, night-time, midnight, nocturnal, moonlit, moonlight, starlit, nacht*, nachts, nächtlich*, mitternacht*, mondlicht, mondschein, sternenhimmel, nuit, nuits, minuit, nocturne, nocturnes, clair de lune, noche, noches, medianoche, nocturn*, luz de luna, 夜, 午夜, 月光, 星空, 月明かり, 真夜中",
    ),
    _of(
        "sun", "light",
        "sun, sunny, sunlight, sunlit, sunshine, sunbeam*, sonne, sonnig*, sonnenlicht, sonnenschein, sonnenstrahl*, soleil, ensoleillé*, sol, solead*, luz solar, 阳光, 太阳, 晴天, 烈日, 日差し, 太陽, 晴れ, 陽光, 陽射し",
    ),
    _of(
        "day", "light",
        "daylight, daytime, noon, midday, broad day, tageslicht, mittag*, tagsüber, taghell, plein jour, midi, lumière du jour, mediodía, luz del día, de día, pleno día, 白天, 正午, 中午, 日光, 昼, 真昼",
    ),
    _of(
        "low sun", "light",
        "sunset*, sunrise*, dusk, dawn, golden hour, evening, twilight, morning, sonnenuntergang*, sonnenaufgang*, dämmerung, abend*, morgens, morgenlicht, morgendämmerung, morgengrauen, goldene stunde, coucher de soleil, coucher du soleil, lever de soleil, lever du soleil, aube, aurore, crépuscule, soir, soirée, matin, matinée, heure dorée",
        "atardecer, amanecer, anochecer, ocaso, alba, tarde, mañana, hora dorada, 日落, 日出, 黄昏, 傍晚, 黎明, 夕阳, 清晨, 早晨, 朝阳, 晨, 夕日, 夕暮れ, 夕方, 日没, 夜明け, 朝焼け, 夕焼け, 朝日, 朝",
    ),
    _of(
        "dark", "light",
        "dark, darkness, darkened, dim, dimly, low-key, low key, unlit, gloomy, shadowy, dunkel*, finster*, düster*, sombre*, obscur*, pénombre, oscur*, penumbra, 黑暗, 昏暗, 阴暗, 幽暗, 低调, 暗い, 暗闇, 薄暗, 闇",
    ),
    _of(
        "light", "light",
        "light, lights, lighting, lit, backlit, bright, brightly, brightness, high-key, high key, lamp*, lantern*, candle*, neon, glow*, shadow*, silhouette*, spotlight*, torch*, firelight, fire, flame*, lightning, flash*, flicker*, shining, shiny, moon, stars, exposure, highlights, contrast, licht*, lampe*, laterne*, kerze*, schatten*, leucht*, beleucht*, belichtung, gegenlicht, blitz*, flacker*, feuer, flamme*, hell, helle, heller, hellen, helles, silhouette*, mond, sterne, scheinwerfer*, kontrast*",
        "lumière*, lumineu*, lampe*, lampadaire*, bougie*, ombre*, contre-jour, éclair*, lueur*, lanterne*, flamme*, feu, feux, projecteur*, lune, étoiles, contraste*, exposition, brillant*, luz, luces, lámpara*, vela, velas, sombra*, contraluz, farol*, relámpago*, ilumin*, luminos*, llama, llamas, fuego, foco, focos, luna, estrellas, contraste*, exposición, brillante*, neón, 光, 灯, 烛, 影, 闪电, 照, 火, 月, 星, 亮, 霓虹, 灯り, 明かり, 明るい, ろうそく, 提灯, 稲妻, 炎, ネオン, ランプ, シルエット, コントラスト",
    ),
    _of(
        "overexposed", "light",
        "overexposed, over-exposed, overexposure, blown out, blown-out, überbelichtet*, überbelichtung, surexpos*, sobreexpuest*, sobreexposición, 过曝, 过度曝光, 曝光过度, 露出オーバー, 白飛び",
    ),
    _of(
        "underexposed", "light",
        "underexposed, under-exposed, underexposure, unterbelichtet*, unterbelichtung, sous-expos*, subexpuest*, subexposición, 欠曝, 曝光不足, 露出アンダー, 露出不足, 黒つぶれ",
    ),
    _of(
        "fog", "weather",
        "fog, foggy, mist, misty, haze, hazy, smoke, smoky, smog, steam, dust, dusty, nebel*, neblig*, dunst*, rauch*, staub*, brouillard*, brume*, brumeu*, fumée*, poussière*, niebla, neblina, bruma, brumos*, humo, polvo, 雾, 烟, 霾, 尘, 霧, 靄, 煙, 埃",
    ),
    _of(
        "overcast", "weather",
        "overcast, cloudy, clouds, grey sky, gray sky, bedeckter himmel, bewölkt*, wolken*, trüb*, nuageu*, nuages, ciel couvert, nublad*, encapotad*, nubes, 阴天, 多云, 乌云, 曇, 雲",
    ),
    _of(
        "rain", "weather",
        "rain, rains, raining, rainy, rainfall, drizzle, downpour, regen*, regnet, regnerisch*, pluie*, pleut, pluvieu*, lluvi*, llueve, 雨",
    ),
    _of(
        "snow", "weather",
        "snow*, blizzard, schnee*, schneit, verschneit*, neige*, enneigé*, nieve, nieva, nevad*, 雪",
    ),
    _of(
        "weather", "weather",
        "storm*, wind, windy, winds, windblown, breeze, sturm*, stürmisch*, windig*, brise, vent, tempête*, orage*, viento*, tormenta*, 风, 暴, 風, 嵐",
    ),
    _of(
        "black and white", "colour",
        "black and white, black-and-white, black & white, monochrome, b&w, greyscale, grayscale, no colour, no color, schwarzweiß*, schwarz-weiß*, schwarzweiss*, schwarz-weiss*, monochrom*, noir et blanc, blanco y negro, monocrom*, 黑白, 单色, 白黒, モノクロ",
    ),
    _of(
        "vivid colours", "colour",
        "vivid*, colourful*, colorful*, saturated, oversaturated, vibrant, garish, bunt*, farbenfroh*, farbenprächtig*, gesättigt*, knallig*, couleurs vives, coloré*, saturé*, colorid*, saturad*, colores vivos, vívid*, 鲜艳, 艳丽, 五彩, 多彩, 鮮やか, カラフル",
    ),
    _of(
        "muted colours", "colour",
        "muted, pastel*, desaturated, faded, sepia, greyish, grayish, washed out, washed-out, entsättigt*, pastell*, verblasst*, verblichen*, désaturé*, délavé*, sépia, desaturad*, descolorid*, apagad*, 低饱和, 淡雅, 褪色, 发灰, 灰蒙蒙, 淡い, くすん, 色あせ, 色褪せ, セピア, パステル",
    ),
    _of(
        "colour", "colour",
        "colour, colours, color, colors, tint*, palette, tones, warm, cold, cool, farbe*, farblich*, farbig*, warm*, kühl*, couleur*, teinte*, palette, chaud*, froid*, colores, color, tono*, paleta, cálid*, frí*, 色调, 色彩, 配色, 颜色, 暖, 冷, 色調, 色合い, カラー, 暖か, 冷た",
    ),
    _of(
        "slow motion", "pace",
        "slow motion, slow-motion, slowmo, slow-mo, zeitlupe*, ralenti, cámara lenta, 慢动作, 慢镜头, スローモーション, スロー再生",
    ),
    _of(
        "time-lapse", "pace",
        "time-lapse, timelapse, time lapse, hyperlapse, zeitraffer*, accéléré, cámara rápida, 延时, タイムラプス, 早送り, 微速度",
    ),
    _of(
        "fast", "pace",
        "fast, faster, quick*, rapid*, speed, speeds, speeding, racing, races, hectic, rushes, rushing, sprint*, explo*, frantic, dashes, schnell*, rasant, rasanter, rasend*, rast, hektisch*, eilt, eilig*, rapide*, vite, vitesse, fonce, frénétique*, rápid*, veloz*, velocidad, deprisa, frenétic*, 快速, 飞快, 迅速, 急, 疾, 飞驰, 奔, 速く, 速い, 素早, 高速, 疾走, 激し",
    ),
    _of(
        "still", "pace",
        "motionless, static, frozen in time, freeze frame, stands still, standing still, stays still, perfectly still, completely still, still life, still image, still picture, immobile, unmoving, reglos*, regungslos*, unbewegt*, bewegungslos*, statisch*, stillleben, steht still, immobile*, figé*, statique*, inmóvil*, estátic*, quieto, quieta, 静止, 静态, 不动, 凝固, 動かない, 止まった, 静物",
    ),
    _of(
        "jerky", "pace",
        "jerky, stop motion, stop-motion, stutter*, ruckel*, ruckartig*, saccadé*, entrecortad*, 定格, 抖动, 晃动, 卡顿, コマ撮り, ストップモーション, カクカク, がたつ",
    ),
    _of(
        "pace", "pace",
        "slow, slowly, gentle, gently, calm, calmly, steady, steadily, suddenly, abrupt*, movement, motion, langsam*, ruhig*, sanft*, plötzlich*, bewegung*, lent, lente, lents, lentement, doucement, calme*, soudain*, mouvement*, lentamente, lento, lenta, despacio, tranquil*, suave*, de repente, movimiento*, 缓, 慢, 静静, 平静, 突然, 运动, 动作, ゆっくり, 静か, 穏やか, 突然, 動き",
    ),
    _of(
        "grain", "texture",
        "grain, grains, grainy, film grain, noisy, vhs, 8mm, 16mm, super 8, old film, film stock, celluloid, scratches, körnig*, filmkorn, körnung, kratzer, pellicule, granuleu*, granulad*, granulos*, celuloide, 颗粒, 胶片, 噪点, 划痕, 粒子, フィルム, ノイズ, 傷だらけ",
    ),
    _of(
        "texture", "texture",
        "texture*, detail*, rough, smooth, smoothly, glossy, matte, clean, polished, rust*, textur*, struktur*, rau, raue, rauer, glatt*, glänz*, matt, matte, rost*, détail*, rugueu*, lisse*, mat, mate, rouill*, textura*, detalle*, rugos*, liso, lisa, oxidad*, 质感, 纹理, 细节, 粗糙, 光滑, 锈, 質感, 細部, ディテール, ざらざら, 滑らか, 錆",
    ),
    _of(
        "drawn", "medium",
        "anime, cartoon*, painting, paintings, painted in, painted by, watercolour*, watercolor*, drawing, drawings, drawn in, hand-drawn, sketch*, illustration*, comic*, manga, pixel art, pixelated, claymation, clay animation, 3d render, 3d-render, cgi, animation, animated film, ink drawing, ink wash, pencil, charcoal, origami, zeichentrick*, gemälde*, gemalt, zeichnung*, gezeichnet, aquarell*, ölgemälde*, ölmalerei, skizze*, illustration*, pixelkunst, knetanimation, tuschezeichnung*, bleistift*, holzschnitt*",
        "dessin, dessins, dessin animé, peinture*, aquarelle*, bande dessinée, croquis, encre de chine, pâte à modeler, estampe*, dibujo*, dibujos animados, pintura*, acuarela*, óleo*, boceto*, cómic*, animación, ilustración, ilustraciones, tinta china, plastilina, 动画, 动漫, 绘画, 油画, 水彩, 素描, 漫画, 插画, 水墨, 像素, 画作, 卡通, 版画, アニメ, 絵画, 油絵, 水彩, イラスト, スケッチ, 漫画, 水墨, ドット絵, 手描き, 版画, 粘土",
    ),
    _of("style", "medium", "style, styles, stylised, stylized, art style, stil, stile, stilisiert*, estilo*, 风格, 作品, スタイル, 画風"),
    _of(
        "cuts", "editing",
        "montage, jump cut*, quick cuts, cuts to, cut to, split screen, split-screen, harte schnitte, schnelle schnitte, schnittfolge*, geteilter bildschirm, coupes rapides, écran partagé, montaje, cortes rápidos, pantalla dividida, 剪辑, 蒙太奇, 切换, 分屏, カット割り, モンタージュ, 分割画面",
    ),
    _of(
        "one take", "editing",
        "one take, single take, single shot, one shot, continuous shot, unbroken shot, oner, plansequenz, ohne schnitt, in einer einstellung, plan-séquence, plan séquence, plano secuencia, toma única, 一镜到底, 长镜头, ワンカット, 長回し",
    ),
    _of(
        "text", "writing",
        "text, texts, subtitle*, caption*, lettering, watermark*, logo, logos, untertitel*, schriftzug, schrift, wasserzeichen, sous-titre*, texte*, filigrane*, subtítulo*, texto*, letrero*, logotipo*, marca de agua, 字幕, 文字, 水印, 标志, ロゴ, テロップ, 透かし",
    ),
    _of(
        "crowd", "crowd",
        "crowd*, many people, lots of people, audience, menschenmenge*, menschenmassen, viele menschen, viele leute, publikum, foule*, beaucoup de gens, beaucoup de monde, multitud*, muchedumbre, mucha gente, público, 人群, 很多人, 人很多, 许多人, 人山人海, 观众, 群衆, 人混み, 人ごみ, 大勢, 観客",
    ),
    _of(
        "clutter", "clutter",
        "clutter*, messy, untidy, chaotic, unordentlich*, unaufgeräumt*, chaotisch*, vollgestellt*, encombré*, désordre, désordonné*, desorden*, abarrotad*, caótic*, 杂乱, 凌乱, 混乱, 散らか, 雑然, 乱雑",
    ),
    _of(
        "ugly", "ugly",
        "ugly, hideous, grotesque, monster*, monstrous, hässlich*, grotesk*, laid, laide, laids, laides, hideu*, monstre*, feo, fea, feos, feas, horripilante*, monstruo*, 丑, 怪物, 醜, モンスター",
    ),
    _of(
        "deformed", "deformed",
        "deformed, disfigured, mutilated, maimed, mutated, missgestaltet*, entstellt*, verstümmelt*, difforme*, défiguré*, mutilé*, deforme*, deformad*, desfigurad*, mutilad*, 畸形, 毁容, 残缺, 奇形",
    ),
    _of(
        "backwards", "backwards",
        "backwards, backward, in reverse, moonwalk*, rückwärts*, à reculons, hacia atrás, marcha atrás, 倒着走, 倒退, 倒放, 后退, 後ろ向きに歩, 後ずさり, 逆再生",
    ),
    _of(
        "low quality", "quality",
        "low quality, low-quality, worst quality, lo-fi, lofi, jpeg artifacts, jpeg artefacts, jpeg, compression artifacts, schlechte qualität, mauvaise qualité, mala calidad, baja calidad, 最差质量, 低质量, 压缩残留, 低品質, 低画質",
    ),
)  # fmt: skip

EXCLUSIVE: tuple[tuple[str, str], ...] = (
    ("static camera", "camera movement"),
    ("static camera", "handheld"),
    ("night", "sun"),
    ("night", "day"),
    ("sun", "overcast"),
    ("overexposed", "underexposed"),
    ("close-up", "wide shot"),
    ("black and white", "vivid colours"),
    ("slow motion", "time-lapse"),
    ("slow motion", "fast"),
    ("still", "fast"),
    ("cuts", "one take"),
)
"""Concepts that one clip cannot have both."""

RELATED: tuple[tuple[str, str], ...] = (("static camera", "still"), ("drawn", "style"))
"""(asked for, forbidden): different concepts of which the second, forbidden, works against the first."""
