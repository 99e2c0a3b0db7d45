/* DataSet: labelled samples in memory, rows distributed by samples. Interface and dispatch; a reader a file.
 */
#include <string.h>
#include <twofold/impl/datasetimpl.h>

PetscClassId DATASET_CLASSID;
static PetscFunctionList DataSetLoaders = NULL;

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode DataSetRegisterAll(void)
{
  PetscFunctionBegin;
  if (DataSetLoaders) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Data Set", &DATASET_CLASSID));
  PetscCall(TwofoldListAdd(&DataSetLoaders, DATASETSVMLIGHT, (TwofoldConstructor)DataSetLoad_SVMLight));
  PetscCall(TwofoldListAdd(&DataSetLoaders, DATASETBINARY, (TwofoldConstructor)DataSetLoad_Binary));
  PetscCall(TwofoldListAdd(&DataSetLoaders, DATASETTEXT, (TwofoldConstructor)DataSetLoad_Text));
  PetscCall(TwofoldListAdd(&DataSetLoaders, DATASETIDX, (TwofoldConstructor)DataSetLoad_IDX));
  PetscCall(TwofoldListAdd(&DataSetLoaders, DATASETCSV, (TwofoldConstructor)DataSetLoad_CSV));
  PetscCall(TwofoldListAdd(&DataSetLoaders, DATASETHDF5, (TwofoldConstructor)DataSetLoad_HDF5));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetRegister(const char format[], PetscErrorCode (*load)(DataSet, const char[]))
{
  PetscFunctionBegin;
  PetscCall(DataSetRegisterAll());
  PetscCall(TwofoldListAdd(&DataSetLoaders, format, (TwofoldConstructor)load));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetCreate(MPI_Comm comm, DataSet *set)
{
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(DataSetRegisterAll());
  PetscCall(PetscHeaderCreate(ds, DATASET_CLASSID, "DataSet", "Data set", "Data", comm, DataSetDestroy,
                              DataSetView));
  PetscCall(PetscStrncpy(ds->format, "auto", sizeof(ds->format)));
  PetscCall(PetscStrncpy(ds->text_weight, "count", sizeof(ds->text_weight)));
  PetscCall(PetscStrncpy(ds->hdf5_x, "X", sizeof(ds->hdf5_x)));
  PetscCall(PetscStrncpy(ds->hdf5_y, "y", sizeof(ds->hdf5_y)));
  ds->csv_header = -1;
  ds->index_base = -1;
  ds->nfirst = -1;
  *set = ds;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DataSetReset(DataSet ds)
{
  PetscFunctionBegin;
  if (ds->classname) {
    for (PetscInt k = 0; k < ds->c; k++) PetscCall(PetscFree(ds->classname[k]));
    PetscCall(PetscFree(ds->classname));
  }
  PetscCall(PetscLayoutDestroy(&ds->rows));
  PetscCall(PetscFree(ds->rowptr));
  PetscCall(PetscFree(ds->col));
  PetscCall(PetscFree(ds->val));
  PetscCall(PetscFree(ds->label));
  PetscCall(PetscFree(ds->target));
  PetscCall(PetscFree(ds->classvalue));
  PetscCall(PetscFree(ds->names));
  PetscCall(DataSetVocabularyDestroy_Private(&ds->vocabulary));
  PetscCall(PetscFree(ds->labelname));
  ds->n = ds->p = ds->c = 0;
  ds->nfirst = -1;
  ds->scaled = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetDestroy(DataSet *set)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)set)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(DataSetReset(*set));
  PetscCall(PetscFree((*set)->path));
  PetscCall(DataSetVocabularyDestroy_Private(&(*set)->given));
  PetscCall(PetscHeaderDestroy(set));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSetOptionsPrefix(DataSet ds, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)ds, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSetFormat(DataSet ds, DataSetFormat format)
{
  TwofoldConstructor known;
  PetscBool decides;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(format, "auto", &decides));
  if (!decides) PetscCall(TwofoldFindType((PetscObject)ds, DataSetLoaders, "data_format", format, &known));
  PetscCall(PetscStrncpy(ds->format, format, sizeof(ds->format)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSetIndexBase(DataSet ds, PetscInt base)
{
  PetscFunctionBegin;
  PetscCheck(base >= -1 && base <= 1, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_OUTOFRANGE,
             "-data_index_base %" PetscInt_FMT ": must be 0, 1 or -1 (the file decides)", base);
  ds->index_base = base;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetGetIndexBase(DataSet ds, PetscInt *base)
{
  PetscFunctionBegin;
  *base = ds->index_base;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetIsFormat(DataSet ds, DataSetFormat format, PetscBool *is)
{
  PetscFunctionBegin;
  PetscCall(PetscStrcmp(ds->format, format, is));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The separator that a word stands for, or 0. */
static char SeparatorOf(const char word[])
{
  if (!strcmp(word, "tab") || !strcmp(word, "\\t")) return '\t';
  return word[0] && !word[1] && strchr(",;|:\t", word[0]) ? word[0] : 0;
}

/* Options of files whose columns or parts have names. */
static PetscErrorCode ColumnOptions(DataSet ds, PetscOptionItems *PetscOptionsObject)
{
  char word[16] = "";
  PetscBool header = PETSC_FALSE, set;

  PetscFunctionBegin;
  PetscCall(PetscOptionsString("-data_csv_separator",
                               "Separator of csv files: a character, or tab (else: found)", "DataSet", word,
                               word, sizeof(word), &set));
  if (set) ds->csv_separator = SeparatorOf(word);
  PetscCheck(!set || ds->csv_separator, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_OUTOFRANGE,
             "-data_csv_separator %s: must be one of , ; | : or the word tab", word);
  PetscCall(PetscOptionsBool("-data_csv_header", "First line of csv files has names (else: found)", "DataSet",
                             header, &header, &set));
  if (set) ds->csv_header = header ? 1 : 0;
  PetscCall(PetscOptionsString("-data_csv_drop",
                               "Columns of csv files to leave out: names or numbers, a,b,...", "DataSet",
                               ds->csv_drop, ds->csv_drop, sizeof(ds->csv_drop), NULL));
  PetscCall(PetscOptionsString("-data_label", "Column of csv files that holds the labels: name or number",
                               "DataSet", ds->label_column, ds->label_column, sizeof(ds->label_column),
                               NULL));
  PetscCall(PetscOptionsString("-data_hdf5_x",
                               "Samples in HDF5 files: data set (n x p), or group of a CSR matrix", "DataSet",
                               ds->hdf5_x, ds->hdf5_x, sizeof(ds->hdf5_x), NULL));
  PetscCall(PetscOptionsString("-data_hdf5_y", "Labels in HDF5 files: data set (n)", "DataSet", ds->hdf5_y,
                               ds->hdf5_y, sizeof(ds->hdf5_y), NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSetFromOptions(DataSet ds)
{
  PetscInt base = ds->index_base;
  PetscBool count, tfidf, set;
  char format[sizeof(ds->format)];

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)ds);
  PetscCall(PetscOptionsFList("-data_format", "Format of the data files (auto: the file decides)",
                              "DataSetSetFormat", DataSetLoaders, ds->format, format, sizeof(format), &set));
  if (set) PetscCall(DataSetSetFormat(ds, format));
  PetscCall(PetscOptionsInt("-data_index_base", "First index in SVMLight files (-1: the file decides)",
                            "DataSetSetIndexBase", base, &base, NULL));
  PetscCall(PetscOptionsInt("-data_features", "Number of features at least", "DataSet", ds->min_features,
                            &ds->min_features, NULL));
  PetscCall(PetscOptionsString("-data_labels", "IDX file of the labels (else: named like the images)",
                               "DataSet", ds->labels_path, ds->labels_path, sizeof(ds->labels_path), NULL));
  PetscCall(ColumnOptions(ds, PetscOptionsObject));
  PetscCall(PetscOptionsString("-text_weight", "Features of a text corpus: count or tfidf", "DataSet",
                               ds->text_weight, ds->text_weight, sizeof(ds->text_weight), NULL));
  PetscOptionsEnd();
  PetscCall(DataSetSetIndexBase(ds, base));
  PetscCall(PetscStrcmp(ds->text_weight, "count", &count));
  PetscCall(PetscStrcmp(ds->text_weight, "tfidf", &tfidf));
  PetscCheck(count || tfidf, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_OUTOFRANGE,
             "-text_weight %s: must be count or tfidf", ds->text_weight);
  PetscCheck(ds->min_features >= 0, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_OUTOFRANGE,
             "-data_features %" PetscInt_FMT ": must not be negative", ds->min_features);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ classes */

static int CompareReal(const void *a, const void *b)
{
  const PetscReal x = *(const PetscReal *)a, y = *(const PetscReal *)b;
  return (x > y) - (x < y);
}

/* Sorts x and drops repetitions; returns the number left. */
static PetscInt SortUnique(PetscInt n, PetscReal x[])
{
  PetscInt m = 0;

  qsort(x, (size_t)n, sizeof(*x), CompareReal);
  for (PetscInt i = 0; i < n; i++)
    if (i == 0 || x[i] != x[m - 1]) x[m++] = x[i];
  return m;
}

static PetscInt FindClass(PetscInt c, const PetscReal value[], PetscReal y)
{
  const PetscReal *at = c ? bsearch(&y, value, (size_t)c, sizeof(*value), CompareReal) : NULL;
  return at ? (PetscInt)(at - value) : -1;
}

/* Classes of ds: the distinct labels of all ranks. */
static PetscErrorCode FindClasses(DataSet ds, PetscInt nlocal, const PetscReal y[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  const PetscInt most = 65536;
  const char too_many[] = "the labels take more than 65536 values: a regression target is not a class "
                          "(DataSetSetTargets())";
  PetscMPIInt size, mine, *counts, *displ;
  PetscReal *own, *all;
  PetscInt total = 0, m;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc1(nlocal + 1, &own));
  PetscCall(PetscArraycpy(own, y, nlocal));
  m = SortUnique(nlocal, own);
  PetscCall(
      TwofoldAgree(comm, m > most ? TwofoldErrorCode(PETSC_ERR_FILE_UNEXPECTED) : PETSC_SUCCESS, too_many));
  PetscCall(PetscMPIIntCast(m, &mine));
  PetscCall(PetscMalloc2(size, &counts, size, &displ));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0; r < size; r++) {
    PetscCall(PetscMPIIntCast(total, &displ[r]));
    total += counts[r];
  }
  PetscCall(PetscMalloc1(total + 1, &all));
  PetscCallMPI(MPI_Allgatherv(own, mine, MPIU_REAL, all, counts, displ, MPIU_REAL, comm));
  ds->c = SortUnique(total, all);
  ds->classvalue = all;
  PetscCall(PetscFree(own));
  PetscCall(PetscFree2(counts, displ));
  PetscCheck(ds->c <= most, comm, PETSC_ERR_FILE_UNEXPECTED, "%s", too_many);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetCollectClasses_Private(DataSet ds, PetscInt nlocal, const PetscReal y[])
{
  PetscFunctionBegin;
  PetscCall(FindClasses(ds, nlocal, y));
  PetscCall(PetscMalloc1(nlocal + 1, &ds->label));
  for (PetscInt i = 0; i < nlocal; i++) ds->label[i] = FindClass(ds->c, ds->classvalue, y[i]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ rows */

PetscErrorCode DataSetTakeRows_Private(DataSet ds, PetscInt nlocal, PetscInt *rowptr, PetscInt *col,
                                       PetscScalar *val, const PetscReal label[], PetscInt p,
                                       PetscBool fixed_width)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);

  PetscFunctionBegin;
  PetscCall(DataSetReset(ds));
  PetscCall(PetscLayoutCreateFromSizes(comm, nlocal, PETSC_DETERMINE, 1, &ds->rows));
  ds->n = ds->rows->N;
  ds->p = PetscMax(p, ds->min_features);
  ds->fixed_width = fixed_width;
  ds->rowptr = rowptr;
  ds->col = col;
  ds->val = val;
  PetscCheck(!fixed_width || ds->min_features <= p, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-data_features %" PetscInt_FMT ": %s has exactly %" PetscInt_FMT " features", ds->min_features,
             ds->path ? ds->path : "the data set", p);
  if (ds->targets)
    PetscCall(DataSetKeepTargets_Private(ds, nlocal, label));
  else
    PetscCall(DataSetCollectClasses_Private(ds, nlocal, label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSetRows(DataSet ds, PetscInt nlocal, const PetscInt rowptr[], const PetscInt col[],
                              const PetscScalar val[], const PetscReal label[], PetscInt p,
                              PetscBool fixed_width)
{
  const PetscInt nnz = rowptr[nlocal] - rowptr[0];
  PetscInt *i, *j;
  PetscScalar *a;
  PetscErrorCode bad = PETSC_SUCCESS;

  PetscFunctionBegin;
  for (PetscInt row = 0; row < nlocal; row++) {
    for (PetscInt k = rowptr[row]; k < rowptr[row + 1]; k++)
      if (col[k] < 0 || col[k] >= p || (k > rowptr[row] && col[k] <= col[k - 1]))
        bad = TwofoldErrorCode(PETSC_ERR_ARG_OUTOFRANGE);
  }
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)ds), bad,
                         "DataSetSetRows: columns must increase in each row and lie in [0, p)"));
  PetscCall(PetscMalloc1(nlocal + 1, &i));
  PetscCall(PetscMalloc1(nnz + 1, &j));
  PetscCall(PetscMalloc1(nnz + 1, &a));
  for (PetscInt row = 0; row <= nlocal; row++) i[row] = rowptr[row] - rowptr[0];
  PetscCall(PetscArraycpy(j, col + rowptr[0], nnz));
  PetscCall(PetscArraycpy(a, val + rowptr[0], nnz));
  PetscCall(DataSetTakeRows_Private(ds, nlocal, i, j, a, label, p, fixed_width));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetGetSizes(DataSet ds, PetscInt *n, PetscInt *p, PetscInt *c)
{
  PetscFunctionBegin;
  if (n) *n = ds->n;
  if (p) *p = ds->p;
  if (c) *c = ds->c;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetGetRows(DataSet ds, PetscInt *nlocal, const PetscInt **rowptr, const PetscInt **col,
                              const PetscScalar **val, const PetscInt **label)
{
  PetscFunctionBegin;
  PetscCheck(ds->rows, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_WRONGSTATE,
             "the data set is empty: DataSetLoad() or DataSetSetRows() first");
  if (nlocal) *nlocal = ds->rows->n;
  if (rowptr) *rowptr = ds->rowptr;
  if (col) *col = ds->col;
  if (val) *val = ds->val;
  if (label) *label = ds->label;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetGetClasses(DataSet ds, const PetscReal *value[], const char *const *name[])
{
  PetscFunctionBegin;
  if (value) *value = ds->classvalue;
  if (name) *name = (const char *const *)ds->classname;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetGetNames(DataSet ds, const char **names)
{
  PetscFunctionBegin;
  *names = ds->names;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ files */

PetscErrorCode DataSetLoad(DataSet ds, const char path[])
{
  char format[sizeof(ds->format)];
  TwofoldConstructor known;
  DataSetLoader load;
  PetscBool decides;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(ds->format, "auto", &decides));
  if (decides)
    PetscCall(DataSetDetectFormat_Private(PetscObjectComm((PetscObject)ds), path, format, sizeof(format)));
  else {
    PetscCall(TwofoldCheckReadable(PetscObjectComm((PetscObject)ds), path, NULL));
    PetscCall(PetscStrncpy(format, ds->format, sizeof(format)));
  }
  PetscCall(TwofoldFindType((PetscObject)ds, DataSetLoaders, "data_format", format, &known));
  load = (DataSetLoader)known;
  char *old = ds->path; /* which `path` may be */
  PetscCall(PetscStrallocpy(path, &ds->path));
  PetscCall(PetscLogEventBegin(TWOFOLD_DataLoad, ds, 0, 0, 0));
  PetscCall((*load)(ds, ds->path));
  PetscCall(PetscFree(old));
  PetscCall(PetscLogEventEnd(TWOFOLD_DataLoad, ds, 0, 0, 0));
  PetscCall(PetscStrncpy(ds->format, format, sizeof(ds->format)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetWrite(DataSet ds, const char path[])
{
  PetscBool binary, hdf5;

  PetscFunctionBegin;
  PetscCheck(ds->rows, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_WRONGSTATE, "nothing to write to %s",
             path);
  PetscCall(PetscStrendswith(path, ".bin", &binary));
  PetscCall(PetscStrendswith(path, ".h5", &hdf5));
  if (binary)
    PetscCall(DataSetWrite_Binary(ds, path));
  else if (hdf5)
    PetscCall(DataSetWrite_HDF5(ds, path));
  else
    PetscCall(DataSetWrite_SVMLight(ds, path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ view */

PetscErrorCode DataSetView(DataSet ds, PetscViewer viewer)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscBool ascii;
  PetscInt64 *mine, *rows, empty = 0, nnz; /* more nonzeros than a rank may have */

  PetscFunctionBegin;
  if (!viewer) PetscCall(PetscViewerASCIIGetStdout(comm, &viewer));
  PetscCall(PetscObjectTypeCompare((PetscObject)viewer, PETSCVIEWERASCII, &ascii));
  if (!ascii || !ds->rows) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscCalloc2(ds->c + 2, &mine, ds->c + 2, &rows));
  for (PetscInt i = 0; i < ds->rows->n; i++) {
    if (!ds->targets) mine[ds->label[i]]++;
    empty += ds->rowptr[i + 1] == ds->rowptr[i];
  }
  mine[ds->c] = empty;
  mine[ds->c + 1] = ds->rowptr[ds->rows->n];
  PetscCall(MPIU_Allreduce(mine, rows, (PetscMPIInt)(ds->c + 2), MPIU_INT64, MPI_SUM, comm));
  empty = rows[ds->c];
  nnz = rows[ds->c + 1];
  PetscCall(
      PetscViewerASCIIPrintf(viewer, "data set %s (%s)\n", ds->path ? ds->path : "in memory", ds->format));
  PetscCall(PetscViewerASCIIPrintf(
      viewer,
      "  samples: %" PetscInt_FMT " (%" PetscInt64_FMT " without a feature)\n"
      "  features: %" PetscInt_FMT "\n  nonzeros: %" PetscInt64_FMT " (%.4g %% dense)\n",
      ds->n, empty, ds->p, nnz,
      ds->n && ds->p ? 100.0 * (double)nnz / ((double)ds->n * (double)ds->p) : 0.0));
  if (ds->labelname) PetscCall(PetscViewerASCIIPrintf(viewer, "  labels: %s\n", ds->labelname));
  if (ds->targets)
    PetscCall(DataSetViewTargets_Private(ds, viewer));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "  classes: %" PetscInt_FMT "\n", ds->c));
  for (PetscInt k = 0; k < ds->c; k++) {
    if (ds->classname)
      PetscCall(PetscViewerASCIIPrintf(viewer, "    %-28s %" PetscInt64_FMT "\n", ds->classname[k], rows[k]));
    else
      PetscCall(PetscViewerASCIIPrintf(viewer, "    %-28g %" PetscInt64_FMT "\n", (double)ds->classvalue[k],
                                       rows[k]));
  }
  PetscCall(PetscFree2(mine, rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}
