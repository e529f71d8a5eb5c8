import "./style.css";

import { App } from "./ui/app";

new App(document.getElementById("app")!);
