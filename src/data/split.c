/* Parts of a data set: selection of rows, and splits keyed by (seed, global index). */
#include <twofold/impl/datasetimpl.h>

/* ------------------------------------------------------------------ selection */

typedef struct {
  PetscInt length;
  PetscReal label;
} RowHead;

/* How many kept rows and nonzeros go to each rank when the kept rows, in global order, are dealt evenly over
   `size` ranks from `first` on. */
static PetscErrorCode DealEvenly(DataSet ds, const PetscBool keep[], PetscMPIInt first, PetscMPIInt size,
                                 PetscMPIInt nrows[], PetscMPIInt nnz[], PetscInt *nkept)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscInt kept = 0, before, total, end;
  PetscMPIInt owner = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < ds->rows->n; i++) kept += keep[i] ? 1 : 0;
  PetscCallMPI(MPI_Scan(&kept, &before, 1, MPIU_INT, MPI_SUM, comm));
  before -= kept;
  PetscCall(MPIU_Allreduce(&kept, &total, 1, MPIU_INT, MPI_SUM, comm));
  PetscInt64 load = 0;
  end = total / size + (total % size > 0); /* of the owner's rows */
  for (PetscInt i = 0; i < ds->rows->n; i++) {
    if (!keep[i]) continue;
    while (before >= end) {
      owner++;
      end += total / size + (total % size > owner);
      load = 0;
    }
    nrows[first + owner]++;
    load += ds->rowptr[i + 1] - ds->rowptr[i];
    PetscCall(PetscMPIIntCast(load, &nnz[first + owner]));
    before++;
  }
  *nkept = kept;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The set of the rows that came to this rank, with the names of their classes. */
static PetscErrorCode MakePart(DataSet ds, MPI_Comm comm, PetscInt nlocal, const RowHead head[],
                               PetscInt *col, PetscScalar *val, DataSet *part)
{
  PetscInt *rowptr;
  PetscReal *y;
  DataSet out;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(nlocal + 1, &rowptr));
  PetscCall(PetscMalloc1(nlocal + 1, &y));
  rowptr[0] = 0;
  for (PetscInt i = 0; i < nlocal; i++) {
    rowptr[i + 1] = rowptr[i] + head[i].length;
    y[i] = head[i].label;
  }
  PetscCall(DataSetCreate(comm, &out));
  out->targets = ds->targets;
  PetscCall(PetscStrallocpy(ds->path ? ds->path : "memory", &out->path));
  PetscCall(DataSetTakeRows_Private(out, nlocal, rowptr, col, val, y, ds->p, ds->fixed_width));
  PetscCall(DataSetCopyReading_Private(ds, out));
  out->scaled = ds->scaled;
  PetscCall(PetscFree(y));
  if (ds->classname) { /* a class without a row in this part is gone from it: names follow the values */
    PetscCall(PetscMalloc1(out->c, &out->classname));
    for (PetscInt k = 0, j = 0; k < out->c; k++) {
      while (ds->classvalue[j] != out->classvalue[k]) j++;
      PetscCall(PetscStrallocpy(ds->classname[j], &out->classname[k]));
    }
  }
  *part = out;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSelectOnto_Private(DataSet ds, const PetscBool keep[], MPI_Comm onto, PetscMPIInt first,
                                         PetscMPIInt nranks, DataSet *part)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscMPIInt rank, size, *nrows, *nnz;
  PetscInt kept = 0, row = 0, at = 0, nlocal, nentries, *sendcol;
  PetscScalar *sendval;
  RowHead *sendhead;
  void *head, *col, *val;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscCalloc2(size, &nrows, size, &nnz));
  PetscCall(DealEvenly(ds, keep, first, nranks, nrows, nnz, &kept));
  PetscCall(PetscMalloc3(kept + 1, &sendhead, ds->rowptr[ds->rows->n] + 1, &sendcol,
                         ds->rowptr[ds->rows->n] + 1, &sendval));
  for (PetscInt i = 0; i < ds->rows->n; i++) {
    if (!keep[i]) continue;
    const PetscInt length = ds->rowptr[i + 1] - ds->rowptr[i];
    sendhead[row++] = (RowHead){length, DataSetLabelValue_Private(ds, i)};
    PetscCall(PetscArraycpy(sendcol + at, ds->col + ds->rowptr[i], length));
    PetscCall(PetscArraycpy(sendval + at, ds->val + ds->rowptr[i], length));
    at += length;
  }
  PetscCall(TwofoldExchange(comm, sizeof(RowHead), nrows, sendhead, NULL, &head, &nlocal));
  PetscCall(TwofoldExchange(comm, sizeof(PetscInt), nnz, sendcol, NULL, &col, &nentries));
  PetscCall(TwofoldExchange(comm, sizeof(PetscScalar), nnz, sendval, NULL, &val, &nentries));
  PetscCall(PetscFree3(sendhead, sendcol, sendval));
  PetscCall(PetscFree2(nrows, nnz));

  *part = NULL;
  if (rank >= first && rank < first + nranks) {
    PetscCall(MakePart(ds, onto, nlocal, (const RowHead *)head, (PetscInt *)col, (PetscScalar *)val, part));
  } else {
    PetscCall(PetscFree(col));
    PetscCall(PetscFree(val));
  }
  PetscCall(PetscFree(head));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSelect(DataSet ds, const PetscBool keep[], DataSet *part)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(DataSetSelectOnto_Private(ds, keep, comm, 0, size, part));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ random order */

/* Keys of one group of rows (a class, or all), sorted, with the cuts of its random order. */
typedef struct {
  uint64_t *key;
  PetscInt nlocal;
  PetscInt64 total; /* over all ranks */
  PetscInt64 *wish; /* number of rows of the group before each cut */
  uint64_t *cut;    /* rows with key < cut[m] come before cut m */
} Group;

static int CompareKey(const void *a, const void *b)
{
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static uint64_t RowKey(DataSet ds, PetscInt64 seed, PetscInt i)
{
  return (uint64_t)TwofoldRandomBits(seed, ds->rows->rstart + i);
}

/* Number of local keys below `cut`. */
static PetscInt CountBelow(const Group *g, uint64_t cut)
{
  PetscInt low = 0, high = g->nlocal;

  while (low < high) {
    const PetscInt middle = low + (high - low) / 2;
    if (g->key[middle] < cut)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Finds all cuts at once, bit by bit from the top: the largest cut with at most `wish` keys below it. Keys
   never tie, so exactly `wish` are. */
static PetscErrorCode FindCuts(MPI_Comm comm, PetscInt ngroups, PetscInt ncuts, Group group[])
{
  PetscInt64 *count;
  PetscMPIInt ncounts;

  PetscFunctionBegin;
  PetscCall(PetscMPIIntCast((PetscInt64)ncuts * ngroups, &ncounts));
  PetscCall(PetscMalloc1(ncounts, &count));
  for (int bit = 63; bit >= 0; bit--) {
    const uint64_t step = UINT64_C(1) << bit;
    for (PetscInt g = 0; g < ngroups; g++)
      for (PetscInt m = 0; m < ncuts; m++)
        count[ncuts * g + m] = CountBelow(&group[g], group[g].cut[m] | step);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, ncounts, MPIU_INT64, MPI_SUM, comm));
    for (PetscInt g = 0; g < ngroups; g++)
      for (PetscInt m = 0; m < ncuts; m++)
        if (count[ncuts * g + m] <= group[g].wish[m]) group[g].cut[m] |= step;
  }
  PetscCall(PetscFree(count));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sorted keys of each group; the wishes are left to the caller. */
static PetscErrorCode GroupsCreate(DataSet ds, PetscInt64 seed, PetscInt ngroups, PetscInt ncuts,
                                   Group **groups)
{
  Group *group;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(ngroups, &group));
  for (PetscInt g = 0; g < ngroups; g++) {
    Group *const now = &group[g];
    PetscCall(PetscMalloc1(ds->rows->n + 1, &now->key));
    for (PetscInt i = 0; i < ds->rows->n; i++)
      if (ngroups == 1 || ds->label[i] == g) now->key[now->nlocal++] = RowKey(ds, seed, i);
    qsort(now->key, (size_t)now->nlocal, sizeof(*now->key), CompareKey);
    const PetscInt64 mine = now->nlocal;
    PetscCallMPI(MPI_Allreduce(&mine, &now->total, 1, MPIU_INT64, MPI_SUM, PetscObjectComm((PetscObject)ds)));
    PetscCall(PetscCalloc2(ncuts, &now->wish, ncuts, &now->cut));
  }
  *groups = group;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GroupsDestroy(PetscInt ngroups, Group **group)
{
  PetscFunctionBegin;
  for (PetscInt g = 0; g < ngroups; g++) {
    PetscCall(PetscFree((*group)[g].key));
    PetscCall(PetscFree2((*group)[g].wish, (*group)[g].cut));
  }
  PetscCall(PetscFree(*group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The part of each local row, 0 .. ncuts - 1, or -1 for one behind the last cut. */
static PetscErrorCode DealByCuts(DataSet ds, PetscInt64 seed, PetscInt ngroups, PetscInt ncuts, Group group[],
                                 PetscInt part_of[])
{
  PetscFunctionBegin;
  PetscCall(FindCuts(PetscObjectComm((PetscObject)ds), ngroups, ncuts, group));
  for (PetscInt i = 0; i < ds->rows->n; i++) {
    const Group *const g = &group[ngroups == 1 ? 0 : ds->label[i]];
    const uint64_t key = RowKey(ds, seed, i);
    part_of[i] = -1;
    for (PetscInt m = ncuts - 1; m >= 0; m--)
      if (key < g->cut[m] || g->wish[m] == g->total) part_of[i] = m;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Targets are in no class of which a part or fold could have its share. */
static PetscErrorCode CheckStratified(DataSet ds, PetscBool stratified)
{
  PetscFunctionBegin;
  PetscCheck(!stratified || !ds->targets, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_INCOMP,
             "-blp_stratified: the samples of %s have targets, not classes",
             ds->path ? ds->path : "the data set");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* part_of[i] = 0, 1, 2 or -1 (left out) for each local row. */
static PetscErrorCode DealRandomly(DataSet ds, const DataSetSplitRule *rule, const PetscReal fraction[3],
                                   PetscInt part_of[])
{
  const PetscInt ngroups = rule->stratified ? ds->c : 1;
  PetscBool third;
  Group *group;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(rule->kind, "third", &third));
  PetscCall(GroupsCreate(ds, rule->seed, ngroups, 3, &group));
  for (PetscInt g = 0; g < ngroups; g++) {
    PetscReal upto = 0;
    for (int m = 0; m < 3; m++) {
      upto += fraction[m];
      group[g].wish[m] = (PetscInt64)PetscFloorReal(upto * (PetscReal)group[g].total + 1e-9);
      if (third) group[g].wish[m] = (m + 1) * (group[g].total / 3); /* parts of the same size */
    }
  }
  PetscCall(DealByCuts(ds, rule->seed, ngroups, 3, group, part_of));
  PetscCall(GroupsDestroy(ngroups, &group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* How many of the numbers first .. first + n - 1 leave the remainder k by F. */
static PetscInt64 CountResidue(PetscInt64 first, PetscInt64 n, PetscInt64 k, PetscInt64 F)
{
  const PetscInt64 skip = ((k - first) % F + F) % F; /* numbers before the first such one */

  return n > skip ? (n - skip + F - 1) / F : 0;
}

PetscErrorCode DataSetFold(DataSet ds, PetscInt F, PetscInt64 seed, PetscBool stratified, PetscInt fold[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscInt64 before = 0;
  Group *group;

  PetscFunctionBegin;
  PetscCheck(ds->rows, comm, PETSC_ERR_ARG_WRONGSTATE, "DataSetFold: the data set is empty");
  PetscCall(CheckStratified(ds, stratified));
  PetscCheck(F >= 2, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_folds %" PetscInt_FMT ": cross-validation needs at least two folds", F);
  PetscCheck(F <= ds->n, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_folds %" PetscInt_FMT ": %s has %" PetscInt_FMT " samples, and each fold needs one", F,
             ds->path ? ds->path : "the data set", ds->n);
  const PetscInt ngroups = stratified ? ds->c : 1;
  PetscCall(GroupsCreate(ds, seed, ngroups, F, &group));
  for (PetscInt g = 0; g < ngroups; g++) { /* a class goes on where the one before it ended */
    PetscInt64 upto = 0;
    for (PetscInt k = 0; k < F; k++) group[g].wish[k] = upto += CountResidue(before, group[g].total, k, F);
    before += group[g].total;
  }
  PetscCall(DealByCuts(ds, seed, ngroups, F, group, fold));
  PetscCall(GroupsDestroy(ngroups, &group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ rules */

static PetscErrorCode ParseFractions(MPI_Comm comm, const char kind[], PetscReal fraction[3])
{
  char *end;
  PetscReal sum = 0;
  const char *at = kind;
  int m = 0;

  PetscFunctionBegin;
  fraction[0] = fraction[1] = fraction[2] = 0;
  for (; m < 3; m++) {
    fraction[m] = strtod(at, &end);
    PetscCheck(end != at && (*end == 0 || *end == ',') && fraction[m] > 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
               "-blp_split %s: must be third, bydate, or one to three positive fractions such as 0.6,0.2,0.2",
               kind);
    sum += fraction[m];
    if (*end == 0) break;
    at = end + 1;
  }
  PetscCheck(m < 3 && sum <= 1 + 1e-12, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_split %s: at most three fractions, and their sum at most 1", kind);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DealByDate(DataSet ds, PetscInt part_of[])
{
  PetscFunctionBegin;
  PetscCheck(ds->nfirst >= 0, PetscObjectComm((PetscObject)ds), PETSC_ERR_ARG_WRONG,
             "-blp_split bydate: %s is not a corpus with a -train and a -test folder",
             ds->path ? ds->path : "the data");
  for (PetscInt i = 0; i < ds->rows->n; i++) part_of[i] = ds->rows->rstart + i < ds->nfirst ? 0 : 1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetSplit(DataSet ds, const DataSetSplitRule *rule, DataSet parts[3])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  PetscReal fraction[3] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  PetscBool bydate, third, *keep;
  PetscInt *part_of;

  PetscFunctionBegin;
  PetscCheck(ds->rows, comm, PETSC_ERR_ARG_WRONGSTATE, "DataSetSplit: the data set is empty");
  PetscCall(CheckStratified(ds, rule->stratified));
  PetscCall(PetscStrcmp(rule->kind, "bydate", &bydate));
  PetscCall(PetscStrcmp(rule->kind, "third", &third));
  if (bydate) {
    fraction[2] = 0;
  } else if (!third) {
    PetscCall(ParseFractions(comm, rule->kind, fraction));
  }
  PetscCall(PetscMalloc2(ds->rows->n + 1, &part_of, ds->rows->n + 1, &keep));
  if (bydate)
    PetscCall(DealByDate(ds, part_of));
  else
    PetscCall(DealRandomly(ds, rule, fraction, part_of));
  for (int m = 0; m < 3; m++) {
    parts[m] = NULL;
    if (fraction[m] <= 0) continue;
    for (PetscInt i = 0; i < ds->rows->n; i++) keep[i] = (PetscBool)(part_of[i] == m);
    PetscCall(DataSetSelect(ds, keep, &parts[m]));
    PetscCheck(parts[m]->n > 0, comm, PETSC_ERR_FILE_UNEXPECTED,
               "-blp_split %s leaves a part of %s empty: %" PetscInt_FMT " samples are too few", rule->kind,
               ds->path ? ds->path : "the data", ds->n);
  }
  PetscCall(PetscFree2(part_of, keep));
  PetscFunctionReturn(PETSC_SUCCESS);
}
