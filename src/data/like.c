/* What is left of training samples when the samples are gone: how others must be read and encoded so that the
   same model applies to them. */
#include <twofold/impl/datasetimpl.h>
#include <twofold/impl/groupimpl.h>
#include <stddef.h>

/* ------------------------------------------------------------------ classes */

PetscErrorCode DataSetSetClasses_Private(DataSet ds, PetscInt c, const PetscReal value[],
                                         const char *const name[])
{
  PetscReal *values;
  char **names = NULL;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(c + 1, &values));
  PetscCall(PetscArraycpy(values, value, c));
  if (name) PetscCall(PetscMalloc1(c + 1, &names));
  for (PetscInt k = 0; name && k < c; k++) PetscCall(PetscStrallocpy(name[k], &names[k]));
  if (ds->classname)
    for (PetscInt k = 0; k < ds->c; k++) PetscCall(PetscFree(ds->classname[k]));
  PetscCall(PetscFree(ds->classname));
  PetscCall(PetscFree(ds->classvalue));
  ds->c = c;
  ds->classvalue = values;
  ds->classname = names;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt DataSetFindClass_Private(DataSet ds, PetscInt k, DataSet train)
{
  const PetscReal value = ds->classvalue[k];
  char *end;

  for (PetscInt j = 0; j < train->c; j++) {
    if (ds->classname && train->classname) {
      if (!strcmp(ds->classname[k], train->classname[j])) return j;
    } else if (ds->classname) {
      const double number = strtod(ds->classname[k], &end);
      if (end != ds->classname[k] && !*end && number == train->classvalue[j]) return j;
    } else if (value == train->classvalue[j]) {
      return j;
    }
  }
  return -1;
}

/* ------------------------------------------------------------------ likeness */

/* Options of the readers that belong to what the samples are. */
static const struct {
  const char *name, *format;
  size_t offset, size;
} words[] = {
    {"csv_label", DATASETCSV, offsetof(struct _p_DataSet, label_column), sizeof(((DataSet)0)->label_column)},
    {"csv_drop", DATASETCSV, offsetof(struct _p_DataSet, csv_drop), sizeof(((DataSet)0)->csv_drop)},
    {"hdf5_x", DATASETHDF5, offsetof(struct _p_DataSet, hdf5_x), sizeof(((DataSet)0)->hdf5_x)},
    {"hdf5_y", DATASETHDF5, offsetof(struct _p_DataSet, hdf5_y), sizeof(((DataSet)0)->hdf5_y)}};
enum { NWORDS = sizeof(words) / sizeof(words[0]) };

static char *Word(DataSet ds, int i)
{
  return (char *)ds + words[i].offset;
}

/* Whether it says something about samples of the set's format. */
static PetscBool HasWord(DataSet ds, int i)
{
  return (PetscBool)!strcmp(ds->format, words[i].format);
}

PetscErrorCode DataSetCopyReading_Private(DataSet from, DataSet to)
{
  PetscFunctionBegin;
  PetscCall(PetscStrncpy(to->format, from->format, sizeof(to->format)));
  PetscCall(PetscStrncpy(to->text_weight, from->text_weight, sizeof(to->text_weight)));
  for (int i = 0; i < NWORDS; i++) PetscCall(PetscStrncpy(Word(to, i), Word(from, i), words[i].size));
  to->index_base = from->index_base;
  to->targets = from->targets;
  PetscCall(DataSetVocabularyDestroy_Private(&to->vocabulary));
  to->vocabulary = DataSetVocabularyShare_Private(from->vocabulary);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetCreateLike(DataSet ds, DataSet *like)
{
  DataSet empty;

  PetscFunctionBegin;
  PetscCall(DataSetCreate(PetscObjectComm((PetscObject)ds), &empty));
  PetscCall(DataSetCopyReading_Private(ds, empty));
  PetscCall(PetscStrallocpy(ds->path ? ds->path : "the training samples", &empty->path));
  empty->fixed_width = ds->fixed_width;
  empty->p = ds->p;
  PetscCall(DataSetSetClasses_Private(empty, ds->c, ds->classvalue, (const char *const *)ds->classname));
  *like = empty;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetReadLike(DataSet ds, DataSet like)
{
  PetscBool same, initial;

  PetscFunctionBegin;
  if (ds->index_base < 0) ds->index_base = like->index_base;
  PetscCall(DataSetSetTargets(ds, like->targets));
  for (int i = 0; i < NWORDS; i++)
    if (HasWord(like, i) && !*Word(ds, i)) PetscCall(PetscStrncpy(Word(ds, i), Word(like, i), words[i].size));
  PetscCall(DataSetVocabularyDestroy_Private(&ds->given));
  if (!like->vocabulary) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscStrcmp(ds->text_weight, like->text_weight, &same));
  PetscCall(PetscStrcmp(ds->text_weight, "count", &initial));
  PetscCheck(same || initial, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_INCOMP,
             "-text_weight %s: the tokens of %s were weighed by %s", ds->text_weight, like->path,
             like->text_weight);
  PetscCall(PetscStrncpy(ds->text_weight, like->text_weight, sizeof(ds->text_weight)));
  ds->given = DataSetVocabularyShare_Private(like->vocabulary);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ conformity */

/* Gives ds the classes of `like`, and behind them its own that `like` does not have. */
static PetscErrorCode ConformClasses(DataSet ds, DataSet like, DataSetMisfit *misfit)
{
  const PetscInt most = like->c + ds->c;
  PetscInt *map, c = like->c, unknown = 0;
  PetscReal *value;
  char(*text)[64], **name;

  PetscFunctionBegin;
  PetscCall(PetscMalloc4(ds->c, &map, most, &value, most, &name, most, &text));
  for (PetscInt j = 0; j < like->c; j++) {
    value[j] = like->classvalue[j];
    name[j] = like->classname ? like->classname[j] : NULL;
  }
  for (PetscInt k = 0; k < ds->c; k++) {
    map[k] = DataSetFindClass_Private(ds, k, like);
    if (map[k] >= 0) continue;
    value[c] = ds->classvalue[k];
    PetscCall(PetscSNPrintf(text[c], sizeof(text[c]), "%g", (double)value[c]));
    name[c] = ds->classname ? ds->classname[k] : text[c];
    map[k] = c++;
  }
  for (PetscInt i = 0; i < ds->rows->n; i++) {
    ds->label[i] = map[ds->label[i]];
    unknown += ds->label[i] >= like->c ? 1 : 0;
  }
  PetscCall(DataSetSetClasses_Private(ds, c, value, like->classname ? (const char *const *)name : NULL));
  PetscCall(PetscFree4(map, value, name, text));
  PetscCall(
      MPIU_Allreduce(&unknown, &misfit->unlabelled, 1, MPIU_INT, MPI_SUM, PetscObjectComm((PetscObject)ds)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Drops the entries of features p and above. */
static PetscErrorCode DropFeatures(DataSet ds, PetscInt p, DataSetMisfit *misfit)
{
  PetscInt64 dropped[2] = {0, 0}, all[2];
  PetscInt end = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0, k = 0; i < ds->rows->n; i++) {
    const PetscInt before = k - end;
    for (; k < ds->rowptr[i + 1]; k++) {
      if (ds->col[k] >= p) continue;
      ds->col[end] = ds->col[k];
      ds->val[end++] = ds->val[k];
    }
    dropped[1] += k - end > before ? 1 : 0;
    dropped[0] = k - end;
    ds->rowptr[i + 1] = end;
  }
  PetscCallMPI(MPI_Allreduce(dropped, all, 2, MPIU_INT64, MPI_SUM, PetscObjectComm((PetscObject)ds)));
  misfit->features = ds->p - p;
  misfit->entries = all[0];
  misfit->samples = (PetscInt)all[1];
  ds->p = p;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetConform(DataSet ds, DataSet like, DataSetMisfit *misfit)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  const char *const path = ds->path ? ds->path : "the data set";
  DataSetMisfit none = {0};
  PetscBool text;

  PetscFunctionBegin;
  if (!misfit) misfit = &none;
  *misfit = none;
  PetscCheck(ds->rows, comm, PETSC_ERR_ARG_WRONGSTATE,
             "the data set is empty: DataSetLoad() or DataSetSetRows() first");
  PetscCall(PetscStrcmp(ds->format, DATASETTEXT, &text));
  PetscCheck(!text || like->vocabulary, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s is a text corpus, %s has no vocabulary to turn it into features: it was made from %s data",
             path, like->path, like->format);
  PetscCheck(!text || ds->vocabulary == like->vocabulary, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s is a text corpus with a vocabulary of its own, not that of %s: DataSetReadLike() first",
             path, like->path);
  PetscCheck(!ds->fixed_width || ds->p == like->p, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s has %" PetscInt_FMT " features, the model has %" PetscInt_FMT
             ": samples must have those it was trained with",
             path, ds->p, like->p);
  if (ds->p > like->p) PetscCall(DropFeatures(ds, like->p, misfit));
  ds->p = like->p;
  PetscCall(DataSetSetTargets(ds, like->targets));
  if (!ds->targets) PetscCall(ConformClasses(ds, like, misfit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ files */

PetscErrorCode DataSetSaveLike_Private(DataSet like, TwofoldGroup group)
{
  PetscFunctionBegin;
  PetscCall(TwofoldGroupPutInt(group, "features", like->p));
  PetscCall(TwofoldGroupPutInt(group, "classes", like->c)); /* 0: targets */
  PetscCall(TwofoldGroupPutInt(group, "fixed_width", like->fixed_width));
  PetscCall(TwofoldGroupPutInt(group, "index_base", like->index_base));
  PetscCall(TwofoldGroupPutString(group, "data_format", like->format));
  if (!like->targets) PetscCall(TwofoldGroupPutReals(group, "class_value", like->c, like->classvalue));
  if (like->classname)
    PetscCall(TwofoldGroupPutStrings(group, "class_name", like->c, (const char *const *)like->classname));
  for (int i = 0; i < NWORDS; i++)
    if (HasWord(like, i)) PetscCall(TwofoldGroupPutString(group, words[i].name, Word(like, i)));
  if (!like->vocabulary) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldGroupPutString(group, "text_weight", like->text_weight));
  PetscCall(DataSetVocabularySave_Private(PetscObjectComm((PetscObject)like), like->vocabulary, group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads a number that must lie in [low, high]. */
static PetscErrorCode GetRange(TwofoldGroup group, MPI_Comm comm, const char name[], PetscInt64 low,
                               PetscInt64 high, PetscInt *value)
{
  PetscInt64 x = 0;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupGetInt(group, name, &x));
  PetscCheck(x >= low && x <= high, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: %s %" PetscInt64_FMT " is not in [%" PetscInt64_FMT ", %" PetscInt64_FMT
             "]: the file is damaged%s",
             TwofoldGroupPath(group), name, x, low, high,
             x > PETSC_MAX_INT ? ", or needs PETSc with 64-bit indices" : "");
  *value = (PetscInt)x;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LoadClasses(DataSet like, TwofoldGroup group, PetscInt c)
{
  PetscReal *value;
  char **name = NULL;
  PetscBool named;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(c, &value));
  PetscCall(TwofoldGroupGetReals(group, "class_value", c, value));
  PetscCall(TwofoldGroupHas(group, "class_name", &named, NULL));
  if (named) PetscCall(TwofoldGroupGetStrings(group, "class_name", c, &name));
  PetscCall(DataSetSetClasses_Private(like, c, value, (const char *const *)name));
  for (PetscInt k = 0; named && k < c; k++) PetscCall(PetscFree(name[k]));
  PetscCall(PetscFree(name));
  PetscCall(PetscFree(value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetLoadLike_Private(DataSet like, TwofoldGroup group)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)like);
  PetscInt c, fixed_width;
  PetscBool text;

  PetscFunctionBegin;
  PetscCall(GetRange(group, comm, "features", 1, PETSC_MAX_INT, &like->p));
  PetscCall(GetRange(group, comm, "classes", 0, 65536, &c));
  PetscCheck(c != 1, comm, PETSC_ERR_FILE_UNEXPECTED, "%s: a model with one class: the file is damaged",
             TwofoldGroupPath(group));
  PetscCall(GetRange(group, comm, "fixed_width", 0, 1, &fixed_width));
  PetscCall(GetRange(group, comm, "index_base", -1, 1, &like->index_base));
  PetscCall(TwofoldGroupGetString(group, "data_format", like->format, sizeof(like->format)));
  like->fixed_width = (PetscBool)fixed_width;
  PetscCall(PetscStrallocpy(TwofoldGroupPath(group), &like->path));
  like->targets = (PetscBool)(c == 0);
  if (!like->targets) PetscCall(LoadClasses(like, group, c));
  for (int i = 0; i < NWORDS; i++)
    if (HasWord(like, i))
      PetscCall(TwofoldGroupGetString(group, words[i].name, Word(like, i), words[i].size));
  PetscCall(TwofoldGroupHas(group, "vocabulary", &text, NULL));
  if (!text) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldGroupGetString(group, "text_weight", like->text_weight, sizeof(like->text_weight)));
  PetscCall(DataSetVocabularyLoad_Private(comm, like->p, group, &like->vocabulary));
  PetscFunctionReturn(PETSC_SUCCESS);
}
