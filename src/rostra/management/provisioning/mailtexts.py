"""What mails say for which a template has no text of its own."""

from __future__ import annotations

VMR_SUBJECT = (
    "{% if action == 'created' %}Your meeting room is ready{% elif action == 'reminder' %}Your meeting room"
    "{% else %}Your meeting room has changed{% endif %}: {{name}}"
)
VMR_BODY = """\
Hello,

{% if action == "created" %}
you have a meeting room of your own now: {{name}}.
{% elif action == "reminder" %}
this is a reminder of your meeting room {{name}}.
{% else %}
something about your meeting room {{name}} has changed.
{% endif %}

{% if aliases %}
To meet there, call one of these from a video system or an app: {{aliases}}
{% endif %}
{% if numeric_alias %}
By telephone, enter the number {{numeric_alias}} followed by #.
{% endif %}
{% if allow_guests %}
Your own PIN as a Host: {{pin}}
{% if guest_pin %}
PIN for your Guests: {{guest_pin}}
{% else %}
Guests need no PIN.
{% endif %}
Guests wait until a Host is there.
{% elif pin %}
PIN for everybody: {{pin}}
{% else %}
No PIN is needed.
{% endif %}

Nobody reads answers to this mail.
"""
DEVICE_SUBJECT = (
    "{% if action == 'created' %}Your device can be set up{% elif action == 'reminder' %}Your device"
    "{% else %}The settings of your device have changed{% endif %}: {{device_alias}}"
)
DEVICE_BODY = """\
Hello,

{% if action == "created" %}
your video system or app can register now. Enter these settings there.
{% elif action == "reminder" %}
this is a reminder of the settings of your video system or app.
{% else %}
the settings of your video system or app have changed.
{% endif %}

Alias: {{device_alias}}
{% if device_username %}
Username: {{device_username}}
Password: {{device_password}}
{% endif %}

Then others can call you at {{device_alias}}.

Nobody reads answers to this mail.
"""
