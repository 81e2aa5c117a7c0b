// As much of a browser as a login needs: cookies, redirects and forms. Nobody looks at the pages.

const REDIRECTS_MAX = 20;

export class Browser {
  #network;
  #stopsAt;
  #jars = new Map();

  // A redirect to a URL that begins with `stopsAt` is not followed.
  constructor(network, stopsAt) {
    this.#network = network;
    this.#stopsAt = stopsAt;
  }

  // Goes where `url` leads: to the page at the end of all redirects, or, as its `url` alone, where the browser stops.
  async open(url) {
    for (let count = 0; count < REDIRECTS_MAX; count += 1) {
      if (this.#stopsAt && url.toString().startsWith(this.#stopsAt)) return { url: new URL(url) };
      const answer = await this.#send("GET", url);
      if (!answer.redirect) return answer;
      url = answer.redirect;
    }
    throw new Error(`${url} leads in circles`);
  }

  // Sends the page's form, with its hidden fields and those that are given.
  async submit(page, fields) {
    const form = page.text.match(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/s);
    if (!form) throw new Error(`there is no form at ${page.url}: ${page.status} ${page.text}`);
    const hidden = [...form[2].matchAll(/<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"/g)];
    const values = new URLSearchParams([...hidden.map(([, name, value]) => [name, value]), ...Object.entries(fields)]);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await this.#send("POST", new URL(form[1], page.url), { headers, body: values.toString() });
    return answer.redirect ? this.open(answer.redirect) : answer;
  }

  async #send(method, url, { headers = {}, body } = {}) {
    const { hostname } = new URL(url);
    const jar = this.#jars.get(hostname) ?? new Map();
    this.#jars.set(hostname, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await this.#network.send(method, url, { headers: { ...headers, ...(cookie && { cookie }) }, body });
    for (const line of answer.headers["set-cookie"] ?? []) {
      const [name, value] = line.split(";")[0].split(/=(.*)/s);
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
    return answer;
  }
}
