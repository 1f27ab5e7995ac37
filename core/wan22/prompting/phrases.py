"""Sentences the rules may add, as data, in six languages: how a clip is filmed, never what is in it.

No sentence names a thing to be seen. Each says which matters it decides (`free`: the prompt must not speak of them),
what it rests on (`needs`: the prompt must want it) and what rules it out (`unless`). Those with none of these hold for
every clip, and together they are long enough where a prompt leaves room for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

# ruff: noqa: E501, RUF001

ASPECTS = ("camera", "light", "lens", "motion", "texture")
LANGUAGES = ("en", "de", "fr", "es", "zh", "ja")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One sentence in `LANGUAGES`' order, without its full stop."""

    name: str
    aspect: str
    texts: tuple[str, str, str, str, str, str]
    free: tuple[str, ...] = ()
    needs: str = ""
    unless: tuple[str, ...] = ()

    @property
    def always(self) -> bool:
        return not (self.free or self.needs or self.unless)

    def text(self, language: str) -> str:
        return self.texts[LANGUAGES.index(language)]


PHRASES: tuple[Phrase, ...] = (
    Phrase(
        "even camera", "camera",
        (
            "The camera moves slowly and evenly and comes to rest without a jolt",
            "Die Kamera bewegt sich langsam und gleichmäßig und kommt ohne Ruck zur Ruhe",
            "La caméra se déplace lentement et régulièrement, puis s'arrête sans à-coup",
            "La cámara se mueve despacio y con regularidad y se detiene sin sacudidas",
            "镜头缓慢而均匀地移动，平稳地停下，没有任何顿挫",
            "カメラはゆっくりと一定の速さで動き、衝撃なく静かに止まる",
        ),
        free=("camera", "framing", "pace", "editing"),
    ),
    Phrase(
        "level camera", "camera",
        (
            "The camera keeps a steady height and a constant distance, so that the framing stays composed",
            "Die Kamera hält Höhe und Abstand, sodass der Bildausschnitt geordnet bleibt",
            "La caméra garde une hauteur et une distance constantes, et le cadrage reste posé",
            "La cámara mantiene una altura y una distancia constantes, y el encuadre permanece ordenado",
            "镜头保持稳定的高度和恒定的距离，构图始终从容有序",
            "カメラは高さと距離を一定に保ち、構図は落ち着いたまま崩れない",
        ),
        free=("camera", "framing", "pace", "editing"),
    ),
    Phrase(
        "room in frame", "camera",
        (
            "The framing leaves enough space around what is described and keeps it in view",
            "Der Bildausschnitt lässt dem Beschriebenen genug Raum und behält es im Blick",
            "Le cadrage laisse assez d'espace autour de ce qui est décrit et le garde en vue",
            "El encuadre deja espacio suficiente alrededor de lo descrito y lo mantiene a la vista",
            "构图为所描述的内容留出足够空间，并始终将其保持在画幅之中",
            "構図は描かれる内容の周りに十分な余白を取り、常に枠の中に収める",
        ),
        free=("camera", "framing"),
    ),
    Phrase(
        "locked frame", "camera",
        (
            "The frame stays locked off, level and untouched, and only what is described moves within it",
            "Der Bildausschnitt bleibt fest, gerade und unberührt, nur das Beschriebene bewegt sich darin",
            "Le cadre reste verrouillé, droit et intact, et seul ce qui est décrit y bouge",
            "El encuadre permanece bloqueado, nivelado e intacto, y solo lo descrito se mueve en él",
            "画框始终锁定、水平、纹丝不移，只有所描述的内容在其中活动",
            "枠は固定され水平に保たれ、描かれる内容だけがその中で動く",
        ),
        needs="static camera", unless=("camera movement", "handheld", "still"),
    ),
    Phrase(
        "smooth move", "camera",
        (
            "The camera move is carried out smoothly, without a jolt, and its purpose stays clear",
            "Die Kamerabewegung läuft weich und ohne Ruck, und ihr Zweck bleibt klar",
            "Le mouvement de caméra est fluide, sans à-coup, et son intention reste claire",
            "El movimiento de cámara es fluido, sin sacudidas, y su intención queda clara",
            "镜头运动流畅，没有顿挫，意图始终清晰",
            "カメラの動きは滑らかで衝撃がなく、その意図は明確なままである",
        ),
        needs="camera movement", unless=("static camera", "handheld", "jerky", "fast"),
    ),
    Phrase(
        "clear viewpoint", "camera",
        (
            "The viewpoint is chosen so that the described action reads clearly at every moment",
            "Der Blickpunkt ist so gewählt, dass die beschriebene Handlung jederzeit klar und mühelos lesbar ist",
            "Le point de vue est choisi pour que l'action décrite se lise clairement à chaque instant",
            "El punto de vista se elige para que la acción descrita se lea con claridad en todo momento",
            "视点的选择使所描述的内容在每一刻都清楚易读",
            "視点は、描かれる内容がどの瞬間も明確に伝わるように選ばれている",
        ),
    ),
    Phrase(
        "soft light", "light",
        (
            "Soft directional light shapes the volumes, with gentle transitions from highlight to shadow",
            "Weiches, gerichtetes Licht formt die Körper, mit sanften Übergängen von hell zu dunkel",
            "Une lumière douce et directionnelle modèle les volumes, avec des transitions délicates vers l'ombre",
            "Una luz suave y direccional modela los volúmenes, con transiciones delicadas hacia la sombra",
            "柔和的定向光线塑造体积，高光与阴影之间过渡细腻",
            "柔らかな方向性のある光が立体を形づくり、明部から暗部へなだらかに移る",
        ),
        free=("light", "weather", "medium", "colour"),
    ),
    Phrase(
        "balanced exposure", "light",
        (
            "The exposure is balanced: highlights keep their detail and shadows stay open",
            "Die Belichtung ist ausgewogen: Lichter behalten ihre Details, Schatten bleiben offen",
            "L'exposition est équilibrée : les hautes lumières gardent leur détail et les ombres restent ouvertes",
            "La exposición es equilibrada: las altas luces conservan el detalle y las sombras quedan abiertas",
            "曝光均衡，高光保留层次，阴影保持通透",
            "露出は均衡が取れ、明部は階調を保ち、暗部もつぶれない",
        ),
        free=("light", "medium"),
    ),
    Phrase(
        "clean darkness", "light",
        (
            "The dark areas stay deep and clean, and what light there is keeps its detail",
            "Die dunklen Flächen bleiben tief und sauber, und was an Licht da ist, behält seine Details",
            "Les zones sombres restent profondes et propres, et le peu de lumière garde son détail",
            "Las zonas oscuras quedan profundas y limpias, y la poca luz conserva su detalle",
            "暗部深邃而干净，仅有的光亮保留层次",
            "暗部は深く澄み、わずかな光も階調を保つ",
        ),
        needs="night", unless=("sun", "day", "overexposed", "underexposed", "drawn", "grain"),
    ),
    Phrase(
        "low warm light", "light",
        (
            "Low-angled light rakes across the surfaces and draws long soft shadows",
            "Flaches Licht streift über die Oberflächen und zieht lange, weiche Schatten",
            "Une lumière rasante glisse sur les surfaces et étire de longues ombres douces",
            "Una luz rasante recorre las superficies y alarga sombras suaves",
            "低角度的光线掠过表面，拉出长而柔和的影子",
            "低い角度の光が表面をかすめ、長く柔らかな影を引く",
        ),
        free=("weather", "medium"), needs="low sun", unless=("night", "day", "dark", "light", "overexposed", "underexposed"),
    ),
    Phrase(
        "clear daylight", "light",
        (
            "Clear daylight gives defined contrast, with shadows that all agree in direction",
            "Klares Tageslicht gibt deutlichen Kontrast, mit Schatten von einheitlicher Richtung",
            "La lumière du jour, claire, donne un contraste net, avec des ombres de même direction",
            "La luz del día, clara, da un contraste definido, con sombras de igual dirección",
            "清澈的日光带来分明的对比，影子的方向一致",
            "澄んだ昼の光が明確なコントラストを生み、影の向きは揃っている",
        ),
        free=("weather", "medium"), needs="sun", unless=("night", "dark", "low sun", "light", "overexposed", "underexposed"),
    ),
    Phrase(
        "layers of air", "light",
        (
            "The air softens distant contrast, so that depth is felt in layers",
            "Die Luft mildert den Kontrast in der Ferne, sodass Tiefe in Schichten spürbar wird",
            "L'air adoucit le contraste au loin, et la profondeur se lit par plans successifs",
            "El aire suaviza el contraste lejano, y la profundidad se percibe por capas",
            "空气柔化了远处的对比，纵深层次分明可感",
            "空気が遠くのコントラストを和らげ、奥行きが層になって感じられる",
        ),
        needs="fog", unless=("close-up", "drawn"),
    ),
    Phrase(
        "agreeing light", "light",
        (
            "Light falls on every surface in a way that agrees with the described scene",
            "Licht fällt auf jede Fläche so, wie es zur beschriebenen Szene passt",
            "La lumière touche chaque surface d'une manière qui s'accorde avec la scène décrite",
            "La luz cae sobre cada superficie de un modo acorde con la escena descrita",
            "光线落在每个表面上的方式都与所描述的场景相符",
            "光はどの面にも、描かれた場面にふさわしいかたちで当たっている",
        ),
    ),
    Phrase(
        "natural perspective", "lens",
        (
            "A lens of medium focal length gives natural perspective without distortion",
            "Ein Objektiv mittlerer Brennweite gibt natürliche Perspektive ohne Verzerrung",
            "Un objectif de focale moyenne donne une perspective naturelle, sans distorsion",
            "Un objetivo de distancia focal media da una perspectiva natural, sin distorsión",
            "中等焦距的镜头呈现自然的透视，没有畸变",
            "中程度の焦点距離のレンズが、歪みのない自然な遠近感を与える",
        ),
        free=("lens", "framing", "medium"),
    ),
    Phrase(
        "focus fall-off", "lens",
        (
            "Focus rests on what is described and falls off softly towards the distance",
            "Die Schärfe liegt auf dem Beschriebenen und fällt zur Ferne hin weich ab",
            "La mise au point repose sur ce qui est décrit et décroît doucement vers le lointain",
            "El foco descansa en lo descrito y se pierde con suavidad hacia la lejanía",
            "焦点落在所描述的内容上，向远处柔和地过渡",
            "焦点は描かれる内容に合い、遠くへ向かって柔らかく落ちていく",
        ),
        free=("lens", "framing", "medium"),
    ),
    Phrase(
        "near separation", "lens",
        (
            "A shallow depth of field separates the nearest details from what lies behind them",
            "Geringe Schärfentiefe trennt die nächsten Einzelheiten von dem, was dahinter liegt",
            "Une faible profondeur de champ détache les détails les plus proches de ce qui est derrière",
            "Una escasa profundidad de campo separa los detalles más cercanos de lo que hay detrás",
            "浅景深将最近的细节与其后的部分分离开来",
            "浅い被写界深度が、手前の細部をその奥から切り離す",
        ),
        free=("lens", "medium"), needs="close-up", unless=("wide shot", "other framing"),
    ),
    Phrase(
        "deep focus", "lens",
        (
            "Deep focus keeps near and far equally legible across the full width of the picture",
            "Große Schärfentiefe hält Nähe und Ferne über die ganze Bildbreite gleich lesbar",
            "Une grande profondeur de champ garde le proche et le lointain lisibles sur toute la largeur",
            "Una gran profundidad de campo mantiene legibles lo cercano y lo lejano en todo el ancho",
            "大景深使远近在整个画幅宽度内都同样清楚",
            "深い被写界深度が、画の幅いっぱいに近くと遠くを等しく見せる",
        ),
        free=("lens", "medium", "weather"), needs="wide shot", unless=("close-up",),
    ),
    Phrase(
        "coherent perspective", "lens",
        (
            "Perspective stays coherent over the whole length of the clip",
            "Die Perspektive bleibt über die ganze Länge des Clips hinweg stimmig",
            "La perspective reste cohérente sur toute la durée du plan",
            "La perspectiva se mantiene coherente durante todo el clip",
            "透视关系在整段影像中始终协调一致",
            "遠近感は映像の最初から最後まで一貫して保たれる",
        ),
    ),
    Phrase(
        "weight and inertia", "motion",
        (
            "Movement is fluid and continuous, with natural weight and inertia",
            "Bewegung ist flüssig und stetig, mit natürlichem Gewicht und Trägheit",
            "Le mouvement est fluide et continu, avec un poids et une inertie naturels",
            "El movimiento es fluido y continuo, con peso e inercia naturales",
            "运动流畅连贯，具有自然的重量感与惯性",
            "動きは滑らかに連続し、自然な重さと慣性を伴う",
        ),
        free=("pace", "medium", "editing"),
    ),
    Phrase(
        "follow through", "motion",
        (
            "Every change follows through to its end at a believable speed",
            "Jede Veränderung läuft in glaubhaftem Tempo bis zu ihrem Ende",
            "Chaque changement va jusqu'à son terme à une vitesse crédible",
            "Cada cambio llega hasta su final a una velocidad creíble",
            "每一个变化都以可信的速度完整地进行到底",
            "どの変化も、もっともらしい速さで最後まで続く",
        ),
        free=("pace", "medium", "editing"),
    ),
    Phrase(
        "stretched time", "motion",
        (
            "Time is stretched evenly, and each phase of the movement can be read in full",
            "Die Zeit ist gleichmäßig gedehnt, und jede Phase der Bewegung ist ganz zu lesen",
            "Le temps est étiré régulièrement, et chaque phase du mouvement se lit en entier",
            "El tiempo se estira de manera uniforme, y cada fase del movimiento se lee por completo",
            "时间被均匀拉长，动作的每个阶段都完整可见",
            "時間は均等に引き延ばされ、動きの各段階がすべて見て取れる",
        ),
        needs="slow motion", unless=("time-lapse", "fast", "jerky"),
    ),
    Phrase(
        "readable speed", "motion",
        (
            "Fast movement keeps its direction readable from its first moment to its last",
            "Schnelle Bewegung bleibt in ihrer Richtung lesbar, vom ersten bis zum letzten Augenblick",
            "Le mouvement rapide garde une direction lisible, de son premier à son dernier instant",
            "El movimiento rápido conserva una dirección legible desde el primer instante hasta el último",
            "快速运动从第一刻到最后一刻都保持方向清楚",
            "速い動きも最初の瞬間から最後の瞬間まで向きが読み取れる",
        ),
        free=("lens", "medium"), needs="fast", unless=("slow motion", "time-lapse", "still", "jerky", "pace"),
    ),
    Phrase(
        "steady passing of time", "motion",
        (
            "The passing of time is rendered in small regular steps, without flicker",
            "Das Vergehen der Zeit zeigt sich in kleinen, regelmäßigen Schritten, ohne Flackern",
            "Le passage du temps se lit en petits pas réguliers, sans scintillement",
            "El paso del tiempo se muestra en pequeños pasos regulares, sin parpadeo",
            "时间的流逝以细小而规律的步调呈现，没有闪烁",
            "時の流れは小さく規則的な刻みで示され、ちらつきはない",
        ),
        free=("light",), needs="time-lapse", unless=("slow motion", "jerky"),
    ),
    Phrase(
        "moving and resting", "motion",
        (
            "What moves and what rests remain clearly told apart throughout",
            "Was sich bewegt und was ruht, bleibt durchweg klar unterschieden",
            "Ce qui bouge et ce qui reste au repos se distinguent clairement du début à la fin",
            "Lo que se mueve y lo que reposa se distinguen con claridad de principio a fin",
            "动与静之间的区别自始至终都清楚分明",
            "動くものと止まっているものの区別は、終始はっきりしている",
        ),
    ),
    Phrase(
        "one shot", "motion",
        (
            "All of it happens in one continuous shot, without cuts",
            "Alles geschieht in einer einzigen durchgehenden Einstellung, ohne Schnitte",
            "Tout se passe en un seul plan continu, sans coupe",
            "Todo sucede en un solo plano continuo, sin cortes",
            "一切都在一个连续的镜头中发生，没有剪切",
            "すべては切れ目のない一つの映像の中で起こる",
        ),
        free=("editing",),
    ),
    Phrase(
        "stable texture", "texture",
        (
            "Surfaces show fine natural texture that stays stable from frame to frame",
            "Oberflächen zeigen feine, natürliche Struktur, die von Bild zu Bild stabil bleibt",
            "Les surfaces montrent une texture fine et naturelle, stable d'une image à l'autre",
            "Las superficies muestran una textura fina y natural, estable de un fotograma a otro",
            "表面呈现细腻自然的质感，逐帧保持稳定",
            "表面には細やかで自然な質感があり、フレームごとに安定している",
        ),
        free=("texture", "medium", "lens"),
    ),
    Phrase(
        "tangible materials", "texture",
        (
            "Materials look tangible and edges are clean, without artificial smoothing",
            "Materialien wirken greifbar, Kanten sind sauber, ohne künstliche Glättung",
            "Les matières paraissent tangibles et les contours sont propres, sans lissage artificiel",
            "Los materiales parecen tangibles y los bordes son limpios, sin suavizado artificial",
            "材质真实可触，边缘干净，没有人工磨皮般的平滑",
            "素材は触れられそうに見え、輪郭はきれいで、人工的な平滑化はない",
        ),
        free=("texture", "medium", "lens"),
    ),
    Phrase(
        "natural colours", "texture",
        (
            "Colours are natural and agree with one another, with restrained contrast",
            "Farben sind natürlich und aufeinander abgestimmt, mit zurückhaltendem Kontrast",
            "Les couleurs sont naturelles et s'accordent entre elles, avec un contraste retenu",
            "Los colores son naturales y armonizan entre sí, con un contraste contenido",
            "色彩自然而协调，对比克制",
            "色は自然で互いに調和し、コントラストは控えめである",
        ),
        free=("colour", "medium", "light", "texture", "weather"),
    ),
    Phrase(
        "graded greys", "texture",
        (
            "Tones range from deep black to clean white, with finely graded greys between",
            "Die Töne reichen von tiefem Schwarz bis zu reinem Weiß, mit fein abgestuftem Grau dazwischen",
            "Les tons vont du noir profond au blanc pur, avec des gris finement gradués",
            "Los tonos van del negro profundo al blanco limpio, con grises finamente graduados",
            "影调从深黑到纯白，其间灰阶细腻",
            "階調は深い黒から澄んだ白まで広がり、その間の灰色は細やかに移る",
        ),
        free=("weather",), needs="black and white",
        unless=("vivid colours", "overexposed", "underexposed", "drawn", "light"),
    ),
    Phrase(
        "even grain", "texture",
        (
            "The grain is organic and even and never hides what matters",
            "Das Korn ist organisch und gleichmäßig und verdeckt nie das Wesentliche",
            "Le grain est organique et régulier et ne cache jamais l'essentiel",
            "El grano es orgánico y uniforme y nunca oculta lo esencial",
            "颗粒自然均匀，从不掩盖要点",
            "粒子は自然で均一であり、大切なものを決して隠さない",
        ),
        needs="grain", unless=("drawn",),
    ),
    Phrase(
        "one technique", "texture",
        (
            "The chosen technique stays uniform, with the same handling visible in every frame",
            "Die gewählte Technik bleibt einheitlich, mit derselben Ausführung in jedem Bild",
            "La technique choisie reste uniforme, avec la même facture visible dans chaque image",
            "La técnica elegida se mantiene uniforme, con el mismo trazo en cada fotograma",
            "所选的表现手法保持统一，每一帧都呈现同样的笔调",
            "選ばれた技法は統一され、どのフレームにも同じ手つきが見える",
        ),
        needs="drawn",
    ),
    Phrase(
        "fitting detail", "texture",
        (
            "The level of detail suits the described scene and does not change without reason",
            "Der Grad an Einzelheiten passt zur beschriebenen Szene und ändert sich nicht grundlos",
            "Le niveau de détail convient à la scène décrite et ne change pas sans raison",
            "El nivel de detalle conviene a la escena descrita y no cambia sin motivo",
            "细节的程度与所描述的场景相称，不会无故改变",
            "細部の程度は描かれた場面にふさわしく、理由なく変わることはない",
        ),
    ),
)  # fmt: skip
