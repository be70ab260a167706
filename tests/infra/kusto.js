// Parses and binds Kusto queries with Microsoft's own parser: a JSON array of queries in, an array of their problems out.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = process.argv[2];
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(folder, file), "utf8"), { filename: file });
}
const { KustoCode, GlobalState } = Kusto.Language;
const { ScalarTypes } = Kusto.Language.Symbols;
const { SyntaxElement, InExpression } = Kusto.Language.Syntax;

// The columns of Application Insights' tables that a query may name.
const COMMON = `timestamp:datetime, itemType:string, customDimensions:dynamic, customMeasurements:dynamic,
  operation_Name:string, operation_Id:string, operation_ParentId:string, cloud_RoleName:string,
  cloud_RoleInstance:string, appName:string, sdkVersion:string, itemCount:int`;
const SCHEMA = `
  let traces = datatable(message:string, severityLevel:int, ${COMMON})[];
  let requests = datatable(id:string, name:string, url:string, success:string, resultCode:string, duration:real,
    performanceBucket:string, source:string, ${COMMON})[];
  let exceptions = datatable(type:string, outerMessage:string, problemId:string, severityLevel:int, ${COMMON})[];
  `;

function* nodes(element) {
  yield element;
  for (let index = 0; index < element.ChildCount; index++) {
    const child = element.GetChild(index);
    if (child) yield* nodes(child);
  }
}

function problems(query) {
  const code = KustoCode.ParseAndAnalyze(SCHEMA + query, GlobalState.Default);
  const found = Array.from({ length: code.GetDiagnostics().Count }, (_, index) => code.GetDiagnostics().getItem(index));
  const told = found.map((each) => `${each.Severity}: ${each.Message}`);
  for (const node of nodes(code.Syntax)) {
    // The parser accepts it, but `in` does not compare a dynamic value as text.
    if (Bridge.is(node, InExpression) && node.Left.ResultType === ScalarTypes.Dynamic) {
      told.push(`Error: ${node.Left.toString().trim()} is dynamic: compare tostring(…)`);
    }
  }
  return told;
}

const queries = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(queries.map(problems)));
