/* A few lines of JSON writing: objects, strings, numbers. */
#include <math.h>
#include "cli.h"

static void Key(Json *json, const char key[])
{
  fprintf(json->file, "%s\n%*s", json->first ? "" : ",", 2 * json->depth, "");
  json->first = PETSC_FALSE;
  if (key) fprintf(json->file, "\"%s\": ", key);
}

void JsonBegin(Json *json, FILE *file)
{
  *json = (Json){file, 1, PETSC_TRUE};
  fprintf(file, "{");
}

void JsonOpen(Json *json, const char key[])
{
  Key(json, key);
  fprintf(json->file, "{");
  json->depth++;
  json->first = PETSC_TRUE;
}

void JsonClose(Json *json)
{
  json->depth--;
  fprintf(json->file, "\n%*s}", 2 * json->depth, "");
  json->first = PETSC_FALSE;
}

void JsonString(Json *json, const char key[], const char value[])
{
  Key(json, key);
  fputc('"', json->file);
  for (const unsigned char *s = (const unsigned char *)value; *s; s++) {
    if (*s == '"' || *s == '\\')
      fprintf(json->file, "\\%c", *s);
    else if (*s < 0x20)
      fprintf(json->file, "\\u%04x", *s);
    else
      fputc(*s, json->file);
  }
  fputc('"', json->file);
}

void JsonReal(Json *json, const char key[], double value)
{
  Key(json, key);
  if (isfinite(value))
    fprintf(json->file, "%.17g", value);
  else
    fprintf(json->file, "null");
}

void JsonInt(Json *json, const char key[], long long value)
{
  Key(json, key);
  fprintf(json->file, "%lld", value);
}

void JsonConstant(Json *json, const char key[], const TwofoldConstant *c)
{
  JsonOpen(json, key);
  JsonReal(json, "value", c->value);
  JsonReal(json, "error", c->error);
  JsonString(json, "standing", TwofoldStandings[c->standing]);
  JsonString(json, "origin", c->origin);
  JsonInt(json, "products", c->products);
  JsonClose(json);
}

void JsonEnd(Json *json)
{
  json->depth = 1;
  fprintf(json->file, "\n}\n");
}
