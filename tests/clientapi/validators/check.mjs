// Feeds bodies to the official validators: JSON lines {validator: "token/RequestToken200", body} in, one verdict each out.
import { createInterface } from 'node:readline';

const modules = {};
for await (const line of createInterface({ input: process.stdin })) {
  const { validator, body } = JSON.parse(line);
  const [area, name] = validator.split('/');
  modules[area] ??= await import(`@pexip/infinity-api/dist/${area}/validation.js`);
  const validate = modules[area][`validate${name}`];
  const accepted = validate(body);
  console.log(JSON.stringify({ validator, accepted, errors: validate.errors ?? [] }));
}
