// The form of an LDAP sync template shows the sections of what it makes only.
"use strict";

for (const name of ["sync_conferences", "sync_devices", "sync_end_users"]) {
  const box = document.getElementById(`id_${name}`);
  const show = () => {
    for (const section of document.querySelectorAll(`.rs-only-${name}`)) section.hidden = !box.checked;
  };
  if (box) {
    box.addEventListener("change", show);
    show();
  }
}
