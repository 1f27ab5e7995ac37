"""Over 200 prompts in six languages: the rules keep every word, add no subject and contradict nothing.

What is forbidden to each prompt is written here by hand and knows nothing of the tables that the rules work with.
"""

from __future__ import annotations

import re
from itertools import product

import pytest

from artifexpro.core.wan22.prompting import defaults, negative, rules
from artifexpro.core.wan22.prompting.languages import language
from artifexpro.core.wan22.prompting.phrases import ASPECTS, LANGUAGES, PHRASES
from artifexpro.core.wan22.prompting.prompt import LEAST, MOST, Prompt, count

# ruff: noqa: E501, RUF001

# What a prompt says, and what may not be added to it then, by language.
SAYS: dict[str, list[tuple[str, str]]] = {
    "en": [
        ("", ""),
        ("at night", r"daylight|\bsun|\bday\b|bright|soft directional"),
        ("static camera", r"camera moves|camera move|steady height"),
        ("the camera pans left", r"locked off|comes to rest|steady height|framing leaves"),
        ("handheld camera", r"locked off|smoothly|evenly|steady|without a jolt"),
        ("in slow motion", r"fast|believable speed|steps"),
        ("very fast", r"slowly|stretched|unhurried"),
        ("black and white", r"colour"),
        ("extreme close-up", r"deep focus|framing leaves|full width|medium focal"),
        ("wide shot of it all", r"shallow|falls off|medium focal"),
        ("watercolour painting", r"\blens\b|focal|materials look|natural texture|depth of field"),
        ("a montage of quick cuts", r"continuous shot|without cuts"),
        ("overexposed", r"exposure is balanced|highlights keep|shadows stay open"),
        ("no camera movement, without any sunlight", r"camera moves|camera move|sun|daylight"),
    ],
    "de": [
        ("", ""),
        ("bei Nacht", r"[Tt]ageslicht|[Ss]onne|[Hh]elle|[Ww]eiches, gerichtetes"),
        ("mit statischer Einstellung, feste Kamera", r"Kamera bewegt|Kamerabewegung|Kamera hält"),
        ("mit einem Kameraschwenk, die Kamera folgt", r"bleibt fest|kommt ohne Ruck zur Ruhe|hält Höhe"),
        ("mit Handkamera", r"bleibt fest|gleichmäßig|weich und ohne Ruck|hält Höhe"),
        ("in Zeitlupe", r"[Ss]chnelle|Tempo|Schritten"),
        ("sehr schnell", r"langsam|gedehnt"),
        ("schwarzweiß", r"[Ff]arben"),
        ("als Nahaufnahme", r"Große Schärfentiefe|genug Raum|mittlerer Brennweite"),
        ("als Aquarell gemalt", r"Objektiv|Brennweite|Materialien wirken|Schärfentiefe"),
        ("mit schnellen Schnitten, schnelle Schnitte, Schnittfolge", r"ohne Schnitte|durchgehenden"),
        ("überbelichtet", r"ausgewogen|Schatten bleiben offen"),
    ],
    "fr": [
        ("", ""),
        ("la nuit", r"lumière du jour|soleil|douce et directionnelle"),
        ("en plan fixe", r"caméra se déplace|mouvement de caméra|hauteur et une distance"),
        ("la caméra suit de près", r"verrouillé|puis s'arrête|constantes"),
        ("caméra à l'épaule", r"verrouillé|régulièrement|fluide, sans|constantes"),
        ("au ralenti", r"rapide|vitesse crédible|petits pas"),
        ("très rapide", r"lentement|étiré"),
        ("en noir et blanc", r"[Cc]ouleurs"),
        ("en gros plan", r"grande profondeur|laisse assez d'espace|focale moyenne"),
        ("peint à l'aquarelle", r"objectif|focale|matières paraissent|profondeur de champ"),
        ("montage de coupes rapides", r"sans coupe|plan continu"),
        ("surexposé", r"équilibrée|ombres restent ouvertes"),
    ],
    "es": [
        ("", ""),
        ("de noche", r"luz del día|\bsol\b|suave y direccional"),
        ("con cámara fija", r"cámara se mueve|movimiento de cámara|altura y una distancia"),
        ("la cámara sigue de cerca", r"bloqueado|se detiene|constantes"),
        ("cámara en mano", r"bloqueado|con regularidad|fluido, sin|constantes"),
        ("a cámara lenta", r"rápido|velocidad creíble|pequeños pasos"),
        ("muy rápido", r"despacio|se estira"),
        ("en blanco y negro", r"[Cc]olores"),
        ("en primer plano", r"gran profundidad|espacio suficiente|focal media"),
        ("pintado en acuarela", r"objetivo|focal|materiales parecen|profundidad de campo"),
        ("montaje de cortes rápidos", r"sin cortes|plano continuo"),
        ("sobreexpuesto", r"equilibrada|sombras quedan abiertas"),
    ],
    "zh": [
        ("", ""),
        ("夜晚", r"日光|阳光|定向光线"),
        ("固定镜头", r"镜头缓慢|镜头运动|恒定的距离"),
        ("镜头跟随", r"锁定|平稳地停下|恒定的距离"),
        ("手持拍摄", r"锁定|均匀地移动|没有顿挫|稳定的高度"),
        ("慢动作", r"快速|可信的速度|步调"),
        ("速度飞快", r"缓慢|拉长"),
        ("黑白影像", r"色彩自然"),
        ("特写", r"大景深|足够空间|中等焦距"),
        ("水彩画", r"焦距|焦点|材质真实|景深"),
        ("快速剪辑", r"没有剪切|连续的镜头"),
        ("过曝", r"曝光均衡|阴影保持通透"),
        ("没有阳光", r"日光|阳光|定向光线"),
    ],
    "ja": [
        ("", ""),
        ("夜", r"昼の光|日差し|方向性のある光"),
        ("固定カメラ", r"カメラはゆっくり|カメラの動き|距離を一定"),
        ("カメラが追いかける", r"固定され|静かに止まる|距離を一定"),
        ("手持ちカメラ", r"固定され|一定の速さ|衝撃がなく|一定に保ち"),
        ("スローモーション", r"速い動き|もっともらしい速さ|刻み"),
        ("とても速く", r"ゆっくり|引き延ばされ"),
        ("モノクロ", r"色は自然"),
        ("クローズアップ", r"深い被写界|十分な余白|中程度の焦点"),
        ("水彩のイラスト", r"レンズ|焦点|素材は|被写界"),
        ("モンタージュ", r"切れ目のない"),
        ("白飛び", r"露出は均衡|暗部もつぶれない"),
        ("雨なし、カメラは動かない", r"カメラはゆっくり|カメラの動き|距離を一定"),
    ],
}
SUBJECTS: dict[str, list[str]] = {
    "en": ["a red kite over the harbour", "an old man with two dogs on a bench", "the ship crosses the bay"],
    "de": [
        "ein roter Drachen über dem Hafen",
        "ein alter Mann mit zwei Hunden auf der Bank",
        "das Schiff quert die Bucht",
    ],
    "fr": [
        "un cerf-volant rouge sur le port",
        "un vieil homme avec deux chiens sur un banc",
        "le bateau traverse la baie",
    ],
    "es": ["una cometa roja sobre el puerto", "un anciano con dos perros en el banco", "el barco cruza la bahía"],
    "zh": ["一只红色的风筝在港口上空", "长椅上的老人和两只狗", "船驶过海湾"],
    "ja": ["港の上の赤い凧", "ベンチに座る老人と二匹の犬", "船が湾を横切る"],
}
BY_HAND = [
    "a night street in bright sun, static camera, slow pan left, black and white in vivid colours",
    "slow motion, very fast, time-lapse, motionless",
    "a cat walks in the rain and 一只猫在街上走 and eine Katze geht im Regen mit der Maus",
    "夜の街 at night, static camera, 固定镜头",
    "rain",
    "🎈🎈🎈",
    "...",
    "A sign says \"Night Sun\"! It's windy, isn't it?",
    "a &lt;b&gt;bold&lt;/b&gt; claim\n\n  over two lines",
    "ein Gedicht: „Die Nacht ist still“",
    "un gatto rosso corre nella notte sul tetto",
    "Красный кот бежит ночью по крыше",
    "빨간 연이 바다 위를 난다",
    "um gato preto na rua com chuva e não há ninguém ao lado",
    "¿Quién camina sin sombra? Nadie, de noche.",
    "l'eau d'une fontaine s'arrête, puis repart",
    "CAMERA PANS, ZOOM IN, NEON NIGHT, 8MM FILM GRAIN",
    "the lens, the light, the colour, the texture, the camera, the pace, the weather: storm, a cut to blurred fog",
    "word " * 70,
    "a very long walk " * 45,
    "风" * 195,
]
PROMPTS: list[tuple[str, str, str]] = [
    (code, f"{subject}{'，' if code == 'zh' else '、' if code == 'ja' else ', '}{says}" if says else subject, forbidden)
    for code in LANGUAGES
    for (says, forbidden), subject in product(SAYS[code], SUBJECTS[code])
] + [("", prompt, "") for prompt in BY_HAND]
# Things that can be seen: none of them may be in a sentence that is added.
SEEN = {
    "en": "man woman person people child dog cat bird tree forest sky cloud sea water rain snow house window street city "
    "car road mountain flower hand face eye hair sun moon star lamp candle wall door room table horizon smoke fire hero "
    "character figure crowd animal leaf wind boat hill building",
    "de": "Mann Frau Mensch Menschen Kind Hund Katze Vogel Baum Wald Himmel Wolke Meer Wasser Regen Schnee Haus Fenster "
    "Straße Stadt Auto Berg Blume Hand Gesicht Auge Haar Sonne Mond Stern Lampe Kerze Wand Tür Raumschiff Tisch Horizont "
    "Rauch Feuer Figur Tier Blatt Wind Boot Hügel Gebäude",
    "fr": "homme femme personne gens enfant chien chat oiseau arbre forêt ciel nuage mer eau pluie neige maison fenêtre "
    "rue ville voiture route montagne fleur main visage œil cheveux soleil lune étoile lampe bougie mur porte pièce table "
    "horizon fumée feu personnage figure foule animal feuille vent bateau colline bâtiment",
    "es": "hombre mujer persona gente niño perro gato pájaro árbol bosque cielo nube mar agua lluvia nieve casa ventana "
    "calle ciudad coche montaña flor mano cara ojo pelo sol luna estrella lámpara vela pared puerta habitación mesa "
    "horizonte humo fuego personaje figura multitud animal hoja viento barco colina edificio",
    "zh": "人 狗 猫 鸟 树 森林 天空 云 海 水 雨 雪 房 窗 街 城 车 路 山 花 手 脸 眼 发丝 太阳 月 星 灯 烛 墙 门 桌 地平线 烟 火 叶 风 船 动物",
    "ja": "人 男 女 犬 猫 鳥 木 森 空 雲 海 雨 雪 家 窓 街 車 道 山 花 顔 目 髪 太陽 月 星 灯 壁 扉 机 地平線 煙 火 葉 風 船 動物",
}
# Two-part words of craft in which such a sign stands without meaning a thing.
CRAFT = {"zh": ("人工", "水平", "表现手法"), "ja": ("人工的", "手つき", "余白", "切れ目", "空気")}


def extended(prompt: str, seed: int = 0, **how: object) -> rules.Extended:
    return rules.extend(Prompt(prompt, "rules", "", rules.RELEASE, seed), **how)  # type: ignore[arg-type]


def added(made: Prompt) -> str:
    return made.extended[len(made.original.rstrip()) :]


def named(code: str, text: str) -> list[str]:
    """Things that can be seen which a text names."""
    if code in ("zh", "ja"):
        for word in CRAFT[code]:
            text = text.replace(word, "")
        return [thing for thing in SEEN[code].split() if thing in text]
    return [thing for thing in SEEN[code].split() if re.search(rf"(?<!\w){thing}s?(?!\w)", text, re.IGNORECASE)]


def test_there_are_more_than_200_prompts_in_six_languages() -> None:
    assert len({prompt for _, prompt, _ in PROMPTS}) == len(PROMPTS) > 200
    assert {code for code, _, _ in PROMPTS} == {*LANGUAGES, ""}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_property_over_all_prompts(seed: int) -> None:
    wrong = []
    for code, prompt, forbidden in PROMPTS:
        made = extended(prompt, seed).prompt
        words = count(made.extended)
        own = code or language(prompt).code
        checks = {
            "keeps every word": made.extended.startswith(prompt.rstrip()) and made.original == prompt,
            "60 to 200 words": LEAST <= words <= MOST or (count(prompt) > MOST and made.extended == prompt),
            "same again": extended(prompt, seed).prompt == made,
            "language": not code or language(prompt).code == code,
            "no subject": not named(own, added(made)),
            "no contradiction": not forbidden or not re.search(forbidden, added(made), re.IGNORECASE),
        }
        wrong += [(prompt, check, added(made)) for check, right in checks.items() if not right]
    assert wrong == []


def test_what_is_forbidden_here_would_be_added_without_the_words_that_forbid_it() -> None:
    """The check above can fail: what it forbids is in the tables, in sentences that other prompts get."""
    for code in LANGUAGES:
        sentences = " ".join(phrase.text(code) for phrase in PHRASES)
        told = [forbidden for _, forbidden in SAYS[code] if forbidden]
        assert sum(1 for forbidden in told if re.search(forbidden, sentences, re.IGNORECASE)) == len(told)


def test_only_sentences_of_the_tables_are_added_and_none_names_a_thing() -> None:
    for code in LANGUAGES:
        for phrase in PHRASES:
            assert named(code, phrase.text(code)) == [], (code, phrase.name)
    for _, prompt, _ in PROMPTS:
        rest = added(extended(prompt).prompt)
        for code in LANGUAGES:
            for phrase in PHRASES:
                rest = rest.replace(phrase.text(code), "")
        assert rest.strip(". 。") == "", prompt


def test_other_seeds_give_other_sentences() -> None:
    assert len({extended("a red kite over the harbour", seed).prompt.extended for seed in range(8)}) >= 5


def test_what_is_asked_for_is_taken_up() -> None:
    assert "locked off" in extended("a kite, static camera").prompt.extended
    assert "dark areas" in extended("a kite at night").prompt.extended
    assert "stretched" in extended("a kite in slow motion").prompt.extended
    assert "deep black" in extended("a kite in black and white").prompt.extended


def test_the_sentences_that_always_hold_are_enough_by_themselves() -> None:
    for code in LANGUAGES:
        assert sum(count(phrase.text(code)) for phrase in PHRASES if phrase.always) >= LEAST
    assert {phrase.aspect for phrase in PHRASES if phrase.always} == set(ASPECTS)


def test_a_picture_or_a_clip_decides_light_lens_and_texture() -> None:
    phrases = {phrase.text("en"): phrase for phrase in PHRASES}
    for task, how in (("i2v", {}), ("s2v", {}), ("style", {}), ("edit", {}), ("ti2v", {"picture": True})):
        for seed in range(6):
            text = added(extended("a kite", seed, task=task, **how).prompt)
            told = [phrase for sentence, phrase in phrases.items() if sentence in text]
            assert all(each.always for each in told if each.aspect in ("light", "lens", "texture")), task
            if task in ("style", "edit"):
                assert all(each.always for each in told)
    assert added(extended("a kite", task="ti2v").prompt) == added(extended("a kite", task="t2v").prompt)


def test_a_styles_words_are_not_contradicted() -> None:
    for seed in range(6):
        assert "lens" not in added(extended("a kite", seed, look="watercolour painting, visible paper grain").prompt)


def test_other_languages_get_english_sentences_that_hold_for_every_clip_and_that_is_said() -> None:
    for prompt in (
        "un gatto rosso corre nella notte sul tetto",
        "Красный кот бежит ночью по крыше",
        "빨간 연이 바다 위를 난다",
    ):
        made = extended(prompt)
        assert "none of the six languages" in made.notes[0]
        told = [phrase for phrase in PHRASES if phrase.text("en") in made.prompt.extended]
        assert told and all(phrase.always for phrase in told)


def test_mixed_languages_are_said() -> None:
    made = extended("a cat walks in the rain, 一只猫在街上走")
    assert made.notes == ("The prompt mixes English and Chinese: the sentences added are English.",)
    assert "are Chinese" in extended("一只猫在雨中的街上走, a cat walks on").notes[0]
    german = extended("eine Katze geht mit der Maus im Regen while the dog is walking behind his house")
    assert "mixes German and English" in german.notes[0] or "mixes English and German" in german.notes[0]


def test_english_on_request_and_a_prompt_that_is_long_enough_alone() -> None:
    wanted = Prompt("ein roter Drachen bei Nacht", "rules", "", rules.RELEASE, 0, "English")
    made = rules.extend(wanted).prompt.extended
    assert made.startswith("ein roter Drachen bei Nacht. The ") and "darkness" not in made
    long = "a very long walk " * 60
    kept = extended(long)
    assert kept.prompt.extended == long
    assert kept.notes == ("The prompt has 240 words already, and 200 are enough: nothing was added.",)


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_sentence_is_against_the_references_negative_prompts(code: str) -> None:
    """Those that take up what was asked for are against it only where the prompt was already."""
    for text in (defaults.DEFAULT_NEGATIVE_PROMPT, defaults.SPEECH_NEGATIVE_PROMPT):
        for phrase in PHRASES:
            assert phrase.needs or negative.analysed(phrase.text(code), text).conflicts == (), phrase.name
        for prompt in (prompt for each, prompt, _ in PROMPTS if each == code):
            before = negative.analysed(prompt, text).conflicts
            assert negative.analysed(extended(prompt).prompt.extended, text).conflicts == before, prompt
