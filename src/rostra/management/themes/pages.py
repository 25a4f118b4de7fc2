"""Pages of themes: who uses them, downloads, a preview, and screens of PIN entry made to order (REF-010...REF-027)."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods
from unfold import decorators
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelect2MultipleWidget, UnfoldAdminTextInputWidget

from rostra.configuration import orm
from rostra.configuration.models import Conference, ConferenceAlias, GatewayRoutingRule, IvrTheme
from rostra.domain import theme, themecheck
from rostra.domain.theme import Kind
from rostra.management.themes import contents, pinscreens
from rostra.management.themes.contents import Source

MOST_SERVICES = 10_000
"""Services up to which a theme's page offers to choose among them (REF-011)."""
LARGEST_BACKGROUND = 20 * 1024 * 1024
VIEW = "configuration.view_ivrtheme"
_TYPES = {Kind.SOUND: "audio/wav", Kind.JPEG: "image/jpeg", Kind.PNG: "image/png", Kind.SETTINGS: "application/json"}
_USED_BY = {"services": (Conference, "conference"), "rules": (GatewayRoutingRule, "gateway_routing_rule")}
"""Fields of the form, what they choose among, and the relation of a theme to it."""

action: Any = decorators.action
display: Any = decorators.display


class ThemeForm(forms.ModelForm):
    """A theme, and who uses it."""

    services = forms.ModelMultipleChoiceField(
        Conference.objects.all(),
        required=False,
        label=gettext_lazy("Services"),
        help_text=gettext_lazy("Services of every kind that use this theme."),
    )
    rules = forms.ModelMultipleChoiceField(
        GatewayRoutingRule.objects.all(),
        required=False,
        label=gettext_lazy("Call Routing Rules"),
        help_text=gettext_lazy("Rules whose calls use this theme."),
        widget=UnfoldAdminSelect2MultipleWidget,
    )

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        services: Any = self.fields.get("services")
        if services is not None:
            field = orm.meta(ConferenceAlias).get_field("conference")
            services.widget = AutocompleteSelectMultiple(field, admin.site, choices=services.choices)
        for name, (_, relation) in _USED_BY.items():
            if name in self.fields and self.instance.pk is not None:
                self.fields[name].initial = list(getattr(self.instance, relation).all())


def few_services() -> bool:
    """Are there few enough to choose among?"""
    return Conference.objects.count() <= MOST_SERVICES and GatewayRoutingRule.objects.count() <= MOST_SERVICES


class ThemePages:
    """Mixed into the admin class of themes."""

    form = ThemeForm
    actions_list: ClassVar[Any] = ("export_csv", "import_csv", "base_theme", "generate")
    actions_detail: ClassVar[Any] = ("preview", "download_theme")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["name", "services_using", "last_updated"]

    @display(description=gettext_lazy("Service count"))
    def services_using(self, row: Any) -> int:
        return row.conference.count()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        base: Any = super()
        sets = list(base.get_fieldsets(request, obj))
        users = gettext("Used by")
        if not few_services():
            text = gettext("There are more than %(most)d services: choose the theme on the page of each service.")
            return [*sets, (users, {"fields": [], "description": text % {"most": MOST_SERVICES}})]
        return [*sets, (users, {"fields": list(_USED_BY)})] if self._may_choose(request, obj) else sets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **more: Any) -> Any:
        base: Any = super()
        form: Any = base.get_form(request, obj, change, **more)
        if not few_services() or not self._may_choose(request, obj):
            for name in _USED_BY:
                form.base_fields.pop(name, None)
                form.declared_fields.pop(name, None)
        return form

    def _may_choose(self, request: HttpRequest, obj: Any) -> bool:
        """May the account change the theme, and what uses it?"""
        page: Any = self
        user: Any = request.user
        own = page.has_add_permission(request) if obj is None else page.has_change_permission(request, obj)
        return own and all(user.has_perm(_changes(model)) for model, _ in _USED_BY.values())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        base: Any = super()
        base.save_related(request, form, formsets, change)
        for name, (_, relation) in _USED_BY.items():
            if name in form.cleaned_data:
                _use(form.instance, getattr(form.instance, relation).all(), form.cleaned_data[name])

    @action(description=gettext_lazy("Download Base theme"), url_path="base", icon="download", permissions=["view"])
    def base_theme(self, request: HttpRequest) -> HttpResponse:
        """The theme that every other falls back to."""
        return _archive("base-theme.ZIP", contents.package(Source("", None)))

    @action(description=gettext_lazy("Generate theme"), url_path="generate", icon="dialpad", permissions=["view"])
    def generate(self, request: HttpRequest) -> HttpResponse:
        """To the form for screens of PIN entry."""
        return redirect(reverse("admin:generate_theme"))

    @action(description=gettext_lazy("Download theme"), url_path="download", icon="download", permissions=["view"])
    def download_theme(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The theme's own files."""
        row = _row(object_id)
        return _archive(f"{row.name}.ZIP", contents.package(Source(row.name, row)))

    @action(description=gettext_lazy("Preview"), url_path="preview", icon="visibility", permissions=["view"])
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the page with all that participants see and hear."""
        return redirect(reverse("admin:preview_theme", args=(object_id,)))


def _changes(model: type[Model]) -> str:
    return f"configuration.change_{orm.meta(model).model_name}"


def _use(row: IvrTheme, before: Any, chosen: Any) -> None:
    """Let exactly the chosen ones use the theme; each is a change of its own."""
    wanted = {one.pk for one in chosen}
    for one in before:
        if one.pk not in wanted:
            one.ivr_theme = None
            one.save()
    for one in chosen:
        if one.ivr_theme_id != row.pk:
            one.ivr_theme = row
            one.save()


def _row(key: str) -> IvrTheme:
    if not str(key).isdecimal():
        raise Http404
    return get_object_or_404(IvrTheme.objects.select_related("package"), pk=key)


def _archive(name: str, data: bytes) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return HttpResponse(data, content_type="application/zip", headers={"Content-Disposition": disposition})


# ---- preview


@require_GET
def preview(request: HttpRequest, key: int) -> HttpResponse:
    """All that participants of a service with this theme see and hear, and where it comes from."""
    row = _row(str(key))
    found = contents.sources(row)
    held = [(source, source.names()) for source in found]
    files = [
        {"file": file, "source": next(source.title for source, names in held if name in names),
         "sound": file.kind is Kind.SOUND, "address": reverse("admin:theme_file", args=(row.pk, name))}
        for name, file in theme.FILES.items() if file.kind is not Kind.SETTINGS
    ]  # fmt: skip
    source, values, wrong = contents.settings_of(found)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Preview of %(name)s") % {"name": row.name},
        "row": row,
        "images": [one for one in files if not one["sound"]],
        "sounds": [one for one in files if one["sound"]],
        "config_source": source.title,
        "settings": [
            (name, contents.shown(values.get(name)), name in values, wrong.get(name, "")) for name in theme.KEYS
        ],
        "unknown": sorted(values.keys() - set(theme.KEYS)),
    }
    return render(request, "admin/themes/preview.html", context)


@require_GET
def file(request: HttpRequest, key: int, name: str) -> HttpResponse:
    """A file as participants of a service with this theme get it."""
    if name not in theme.FILES:
        raise Http404
    source = next(one for one in contents.sources(_row(str(key))) if name in one.names())
    response = HttpResponse(source.read(name), content_type=_TYPES[theme.FILES[name].kind])
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    return response


# ---- generated screens


class GenerateForm(forms.Form):
    """What screens of PIN entry are made of."""

    background_image = forms.FileField(
        label=gettext_lazy("Background image"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("An RGB JPEG of exactly 1920 × 1080 pixels. Keep 634 to 704 pixels from the top free."),
    )
    foreground_color = forms.CharField(
        label=gettext_lazy("Foreground color"),
        initial="F4B95F",
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Of the circles for each digit: six hexadecimal digits."),
    )

    def clean_background_image(self) -> Any:
        image = self.cleaned_data["background_image"]
        if image.size > LARGEST_BACKGROUND:
            raise forms.ValidationError(gettext("The image is larger than 20 MB."))
        return image

    def clean_foreground_color(self) -> tuple[int, int, int]:
        try:
            return pinscreens.colour(self.cleaned_data["foreground_color"])
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from None

    def package(self) -> tuple[str, bytes] | None:
        """Name and content of the archive; None, with an error noted, when it cannot be made."""
        image = self.cleaned_data["background_image"]
        name = str(image.name).rpartition(".")[0] or "theme"
        try:
            made = list(pinscreens.generate(image.read(), self.cleaned_data["foreground_color"]))
        except themecheck.BadFile as problem:
            self.add_error("background_image", str(problem))
            return None
        return f"{name}.ZIP", contents.packed(made, name)


@require_http_methods(["GET", "POST"])
def generate(request: HttpRequest) -> HttpResponse:
    """The form, and the archive made of it; nothing is kept."""
    form = GenerateForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and (made := form.package()) is not None:
        return _archive(*made)
    context = {**admin.site.each_context(request), "title": gettext("Generate theme"), "form": form}
    return render(request, "admin/themes/generate.html", context, status=400 if form.errors else 200)
