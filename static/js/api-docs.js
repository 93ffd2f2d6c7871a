// The API's description, readable and to try out. Requests of a signed-in browser carry their CSRF token.
(() => {
  const root = document.documentElement;
  root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark"); // Swagger UI's own name for it
  const place = document.getElementById("docs");
  const token = () => (document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) || [])[1];
  SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    requestInterceptor: (request) => {
      const csrf = token();
      if (csrf && !request.headers.Authorization) request.headers["X-CSRFToken"] = csrf;
      return request;
    },
  });
})();
