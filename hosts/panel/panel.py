# mypy: ignore-errors
"""The panel itself: the form, the queue and the history, side by side where there is room, else behind tabs."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLayout,
    QShortcut,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ..bridge.errors import BridgeError
from . import controls, desk, history, pictures, theme, wish
from .costcard import CostCard
from .form import Form
from .historyview import HistoryView
from .queueview import QueueView

TICK_MS = 60
CALM_MS = 400
"""How long the fields have to rest before the cost is asked for."""
FORM_WIDTH = 400
LEAST_HEIGHT = 420
BESIDE_WIDTH = 420
"""Pixels the form and the queue take side by side, or more where the host's font is large; with less, tabs."""


class Panel(QWidget):
    """`work` is the desk; `look` None takes what fits the host's own colours."""

    def __init__(self, work, look=None, parent=None):
        super().__init__(parent)
        self.desk = work
        self.look = look or theme.look_beside(QApplication.palette())
        self.setObjectName(theme.ROOT)
        self.setAttribute(Qt.WA_StyledBackground, True)
        self.setWindowTitle("ArtifexPro")
        self.setPalette(theme.palette(self.look))
        self.setStyleSheet(theme.sheet(self.look))
        self.setMinimumHeight(LEAST_HEIGHT)
        self.loader = pictures.Loader(self)
        self._wide = None
        self._build()
        self._connect()
        self._keys()
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(CALM_MS)
        self._calm.timeout.connect(lambda: self.desk.ask_cost(self.form.wish()))
        self._ticking = QTimer(self)
        self._ticking.setInterval(TICK_MS)
        self._ticking.timeout.connect(self.tick)
        self._show(set(desk.ALL))
        self.destroyed.connect(partial(_let_go, work))
        self._ticking.start()
        self._calm.start()
        self.desk.session.dial_now()

    # ------------------------------------------------------------------ building

    def _build(self):
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.setSizeConstraint(QLayout.SetNoConstraint)
        column.addLayout(self._head())
        column.addWidget(self._banner())
        self.making = self._making()
        self.queue = QueueView(self.loader)
        self.history = HistoryView(self.look, self.loader)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.queue, "Queue")
        self.tabs.addTab(self.history, "History")
        self.split = QSplitter(Qt.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(1)
        self.split.addWidget(self.tabs)
        column.addWidget(self.split, 1)

    def _head(self):
        row = QHBoxLayout()
        row.setContentsMargins(14, 8, 14, 6)
        row.setSpacing(8)
        row.addWidget(controls.label("ArtifexPro", "title"))
        row.addStretch(1)
        self.state = controls.label("", "muted")
        self.connect_button = controls.button("Connect", "link", name="connect")
        row.addWidget(self.state)
        row.addWidget(self.connect_button)
        return row

    def _banner(self):
        self.banner = QWidget()
        around = QVBoxLayout(self.banner)
        around.setContentsMargins(14, 2, 14, 6)
        card = QFrame()
        card.setProperty("kind", "banner")
        row = QHBoxLayout(card)
        row.setContentsMargins(10, 7, 6, 7)
        self.notice = controls.label("", "error", wrap=True)
        self.dismiss = controls.button("OK", "link", name="dismiss", tip="Takes this message away")
        row.addWidget(self.notice, 1)
        row.addWidget(self.dismiss, 0, Qt.AlignTop)
        around.addWidget(card)
        return self.banner

    def _making(self):
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        offer = self.desk.host.picture if self.desk.host.title != "ArtifexPro" else None
        self.form = Form(self.look, self.loader, self.desk.host.title, offer)
        self.scroll = controls.Column(self.form)
        self.scroll.setFocusPolicy(Qt.NoFocus)
        column.addWidget(self.scroll, 1)
        below = QWidget()
        below.setProperty("kind", "foot")
        foot = QVBoxLayout(below)
        foot.setContentsMargins(14, 10, 14, 14)
        foot.setSpacing(8)
        self.cost = CostCard()
        self.generate_button = controls.button("Generate", "primary", name="generate", tip="Ctrl+Enter")
        foot.addWidget(self.cost)
        foot.addWidget(self.generate_button)
        column.addWidget(below)
        return made

    def _connect(self):
        self.form.changed.connect(self._later)
        self.form.extend.connect(lambda method, seed: self.desk.extend(self.form.wish(), method, seed))
        self.form.extension_used.connect(self._use_extension)
        self.form.extension_closed.connect(self.desk.forget_extension)
        self.generate_button.clicked.connect(self.generate)
        self.connect_button.clicked.connect(self.desk.session.dial_now)
        self.dismiss.clicked.connect(lambda: self.desk.tell(""))
        self.queue.act.connect(self._act_on_job)
        self.queue.clear.connect(self.desk.clear)
        self.history.act.connect(self._act_on_history)
        self.history.looked_for.connect(lambda _words: self._show({desk.HISTORY}))
        self.tabs.currentChanged.connect(lambda _at: self._look_at_tab())

    def _later(self):
        """The cost is asked for when the fields have come to rest."""
        self._calm.start()

    def _keys(self):
        for keys, act in (
            ("Ctrl+Return", self.generate),
            ("Ctrl+Enter", self.generate),
            ("Ctrl+F", self._search),
            ("Ctrl+1", lambda: self._go(self.making)),
            ("Ctrl+2", lambda: self._go(self.queue)),
            ("Ctrl+3", lambda: self._go(self.history)),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    # ------------------------------------------------------------------ layout

    def resizeEvent(self, event):
        super().resizeEvent(event)
        beside = max(BESIDE_WIDTH, *(page.minimumSizeHint().width() for page in (self.queue, self.history)))
        wide = self.width() >= self._form_width() + beside
        if wide != self._wide:
            self._wide = wide
            self._arrange()

    def event(self, event):
        if event.type() == QEvent.LayoutRequest and self._wide is not None:
            self.setMinimumWidth(self.minimumSizeHint().width())
        return super().event(event)

    def minimumSizeHint(self):
        """As wide as the widest page: narrower than side by side, so that it can be made so narrow."""
        pages = (self.making, self.queue, self.history)
        return QSize(max(page.minimumSizeHint().width() for page in pages) + 4, LEAST_HEIGHT)

    def _form_width(self):
        return max(FORM_WIDTH, self.making.minimumSizeHint().width())

    def _arrange(self):
        focused = self.focusWidget()
        if self._wide:
            self.split.insertWidget(0, self.making)
            self.making.show()
            self.split.setSizes([self._form_width(), max(1, self.width() - self._form_width())])
            self.split.setStretchFactor(0, 0)
            self.split.setStretchFactor(1, 1)
        else:
            self.tabs.insertTab(0, self.making, "Make")
            self.tabs.setCurrentIndex(0)
        if focused is not None:
            focused.setFocus()
        self._show({desk.JOBS})
        self._look_at_tab()

    def _go(self, page):
        if self.tabs.indexOf(page) >= 0:
            self.tabs.setCurrentWidget(page)
        {self.making: self.form.prompt, self.queue: self.queue.scroll, self.history: self.history.list}[page].setFocus()

    def _search(self):
        self._go(self.history)
        self.history.search.setFocus()
        self.history.search.selectAll()

    def _look_at_tab(self):
        self.desk.history.seen = self.tabs.currentWidget() is self.history
        self.desk.history.outdated()

    # ------------------------------------------------------------------ what happens

    def tick(self):
        """Called by the timer; waits for nothing."""
        self.desk.pump()
        news = self.desk.take_news()
        if news:
            self._show(news)
        else:
            self._show_progress()
        for key, width, height, values in self.desk.session.take_previews():
            row = self.queue.row(key)
            if row is not None:
                row.show_preview(pictures.from_floats(width, height, values))

    def _show(self, news):
        if desk.STATUS in news:
            self._show_status()
        if desk.MODELS in news:
            self.form.offer_models(self.desk.models)
        if desk.COST in news:
            self.cost.show_cost(self.desk.cost)
        if desk.EXTENSION in news:
            self.form.show_extension(self.desk.extension, self.desk.extending, self.desk.extension_trouble)
        if desk.JOBS in news:
            self._show_progress()
        if desk.HISTORY in news:
            words = self.history.search.text()
            past = self.desk.history
            self.history.show_views(past.found(words), len(past), history.NEWEST, words)

    def _show_progress(self):
        jobs = self.desk.jobs()
        self.queue.show_jobs(jobs, self.desk.waits_for_its_place)
        count = sum(job.open for job in jobs)
        self.tabs.setTabText(self.tabs.indexOf(self.queue), f"Queue ({count})" if count else "Queue")

    def _show_status(self):
        session = self.desk.session
        said = (
            "Connected" if session.connected else "Looking for the daemon …" if session.connecting else "Not connected"
        )
        self.state.setText(said)
        controls.restyle(self.state, kind="good" if session.connected else "muted")
        self.connect_button.setVisible(not session.connected and not session.connecting)
        notice = self.desk.notice or session.trouble
        self.notice.setText(notice)
        self.banner.setVisible(bool(notice))
        self.dismiss.setVisible(bool(self.desk.notice))

    def generate(self):
        """Ask for the clip; a refusal is shown above, and the field at fault gets the keyboard."""
        self.form.vary_if_wished()
        try:
            self.desk.generate(self.form.wish())
        except BridgeError as refusal:
            self.desk.tell(refusal.sentence())
            if refusal.code == "prompt":
                self.form.prompt.setFocus()
        else:
            if self._wide:
                self.tabs.setCurrentWidget(self.queue)

    def _use_extension(self):
        made = self.desk.extension_of(self.form.wish())
        if made is not None:
            self.form.take_extension(made)

    def _told(self, act, *said, **more):
        try:
            act(*said, **more)
        except BridgeError as refusal:
            self.desk.tell(refusal.sentence())

    def _act_on_job(self, key, name):
        job = self.desk.session.book.get(key)
        if job is None:
            return
        if name in ("again", "vary"):
            self._told(self.desk.repeat, self.desk.document_of(job), job.title, vary=name == "vary")
        else:
            desk = self.desk
            acts = {"cancel": desk.cancel, "deliver": desk.deliver, "dismiss": desk.dismiss, "reveal": desk.reveal}
            self._told(acts[name], job)

    def _act_on_history(self, view, name):
        if name == "reveal":
            self._told(self.desk.reveal, history.as_job(view))
        elif name == "recall":
            self.desk.recall(view, lambda document, title: self._told(self._fill, document, title))
        else:
            self.desk.recall(
                view, lambda document, title: self._told(self.desk.repeat, document, title, vary=name == "vary")
            )

    def _fill(self, document, title):
        wanted = wish.wish_of(document, title)
        self.form.fill(wanted)
        self._go(self.making)
        self.desk.tell("")
        if wanted.extension is not None:
            self.form.card.ask(wanted.extension.seed, wanted.extension.method)

    def closeEvent(self, event):
        self.shut()
        super().closeEvent(event)

    def shut(self):
        """Hang up and stop the timers; jobs go on in the daemon."""
        self._ticking.stop()
        self._calm.stop()
        self.loader.wait()
        self.desk.close()


def _let_go(work, *_said):
    """A host may delete a docked panel without closing it: the file of its jobs has to be free for the next one."""
    work.close()
