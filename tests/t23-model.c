/* A problem's solution as a model: saved by some ranks, read by others, applied to samples; against
   BLPEvaluate() and against probabilities computed entry by entry. */
#include <petscviewerhdf5.h>
#include "files.h"
#include "problem.h"

static const PetscReal tol = 1e-12;

/* ------------------------------------------------------------------ oracle */

/* Probabilities, mean cross-entropy and accuracy of set s with W, by loops over all entries. */
static PetscErrorCode Oracle(const Synthetic *s, int set, const PetscScalar W[], PetscScalar Z[],
                             BLPMetrics *m)
{
  const PetscInt c = s->c;

  PetscFunctionBegin;
  *m = (BLPMetrics){.n = s->n[set]};
  for (PetscInt i = 0; i < s->n[set]; i++) {
    const PetscInt label = SyntheticLabel(s, set, i);
    PetscScalar *const z = Z + i * c;
    PetscReal sum = 0;
    PetscInt top = 0;
    for (PetscInt k = 0; k < c; k++) {
      z[k] = s->bias ? W[s->p * c + k] : 0;
      for (PetscInt j = 0; j < s->p; j++) z[k] += SyntheticValue(s, set, i, j) * W[j * c + k];
      if (z[k] > z[top]) top = k;
    }
    for (PetscInt k = 0; k < c; k++) sum += PetscExpReal(z[k]);
    m->loss += (PetscLogReal(sum) - z[label]) / (PetscReal)s->n[set];
    m->accuracy += (top == label ? 1.0 : 0.0) / (PetscReal)s->n[set];
    for (PetscInt k = 0; k < c; k++) z[k] = PetscExpReal(z[k]) / sum;
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ save and load */

static PetscErrorCode Save(BLP blp, Vec lambda, Vec w, const char path[])
{
  PetscViewer viewer;

  PetscFunctionBegin;
  PetscCall(PetscObjectSetName((PetscObject)lambda, "lambda"));
  PetscCall(PetscObjectSetName((PetscObject)w, "w"));
  PetscCall(PetscViewerHDF5Open(PetscObjectComm((PetscObject)blp), path, FILE_MODE_WRITE, &viewer));
  PetscCall(VecView(lambda, viewer));
  PetscCall(VecView(w, viewer));
  PetscCall(BLPSaveModel(blp, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscFunctionReturn(0);
}

static PetscErrorCode Load(MPI_Comm comm, const char path[], BLP *blp, Vec *lambda, Vec *w)
{
  PetscFunctionBegin;
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPLoadModel(*blp, path));
  PetscCall(BLPCreateVecs(*blp, lambda, w));
  PetscCall(PetscObjectSetName((PetscObject)*lambda, "lambda"));
  PetscCall(PetscObjectSetName((PetscObject)*w, "w"));
  PetscCall(TwofoldVecLoad(*lambda, path));
  PetscCall(TwofoldVecLoad(*w, path));
  PetscFunctionReturn(0);
}

/* Applies a model to set 2 on comm and compares with the oracle's Z and metrics. */
static PetscErrorCode CheckPrediction(MPI_Comm comm, const Synthetic *s, BLP blp, Vec lambda, Vec w,
                                      const PetscScalar Z[], const BLPMetrics *wanted)
{
  DataSet ds;
  Vec P;
  DataSetMisfit misfit;
  BLPMetrics m;
  PetscReal difference;
  PetscInt bs;

  PetscFunctionBegin;
  PetscCall(SyntheticDataSet(comm, s, 2, &ds));
  PetscCall(BLPAdoptDataSet(blp, ds, &misfit));
  CHECK(!misfit.features && !misfit.entries && !misfit.samples && !misfit.unlabelled, "a misfit");
  PetscCall(BLPPredict(blp, ds, lambda, w, &P, &m));
  PetscCall(VecGetBlockSize(P, &bs));
  CHECK(bs == s->c, "block size %d", (int)bs);
  PetscCall(VecDifference(P, Z, &difference));
  CHECK(difference < tol, "probabilities differ by %g", (double)difference);
  CHECK(m.n == wanted->n, "%d samples", (int)m.n);
  CHECK_CLOSE(m.loss, wanted->loss, tol, "loss");
  CHECK_CLOSE(m.accuracy, wanted->accuracy, tol, "accuracy");
  PetscCall(VecDestroy(&P));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* Reads the file and predicts on all ranks, and on the last one alone. */
static PetscErrorCode CheckFile(const Synthetic *s, const char path[], const PetscScalar Z[],
                                const BLPMetrics *wanted)
{
  PetscMPIInt rank, size;
  MPI_Comm part, comm[2] = {TEST_COMM, MPI_COMM_NULL};

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCallMPI(MPI_Comm_split(TEST_COMM, rank == size - 1, 0, &part));
  comm[1] = part; /* the others read it together at the same time */
  for (int k = 0; k < 2; k++) {
    BLP blp;
    Vec lambda, w;
    PetscInt nlambda, nw;
    PetscCall(Load(comm[k], path, &blp, &lambda, &w));
    PetscCall(BLPGetSizes(blp, &nlambda, &nw));
    CHECK(nlambda == s->p && nw == (s->p + (s->bias ? 1 : 0)) * s->c, "sizes %d and %d", (int)nlambda,
          (int)nw);
    PetscCall(CheckPrediction(comm[k], s, blp, lambda, w, Z, wanted));
    CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, BLPLossLinearize(blp, lambda, w));
    PetscCall(VecDestroy(&lambda));
    PetscCall(VecDestroy(&w));
    PetscCall(BLPDestroy(&blp));
  }
  PetscCallMPI(MPI_Comm_free(&part));
  PetscFunctionReturn(0);
}

static PetscErrorCode TestPredict(const Synthetic *s, const char folder[])
{
  BLP blp;
  Vec lambda, w;
  PetscScalar *Z, *W;
  BLPMetrics wanted, evaluated;
  PetscInt nw;
  char path[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/model.h5", folder));
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, s, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 5));
  PetscCall(TwofoldVecSetRandomNormal(w, 6));
  PetscCall(BLPGetSizes(blp, NULL, &nw));
  PetscCall(PetscMalloc2(nw, &W, s->n[2] * s->c, &Z));
  PetscCall(VecGather(w, W));
  PetscCall(Oracle(s, 2, W, Z, &wanted));
  PetscCall(BLPEvaluate(blp, BLP_TEST, lambda, w, &evaluated));
  CHECK_CLOSE(evaluated.loss, wanted.loss, tol, "BLPEvaluate's loss");
  CHECK_CLOSE(evaluated.accuracy, wanted.accuracy, tol, "BLPEvaluate's accuracy");
  PetscCall(CheckPrediction(TEST_COMM, s, blp, lambda, w, Z, &wanted));
  PetscCall(Save(blp, lambda, w, path));
  PetscCall(CheckFile(s, path, Z, &wanted));
  PetscCall(PetscFree2(W, Z));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ samples that do not fit */

/* Features 1..7 (from 1) and a label of SVMLight text, n lines on rank 0's file. */
static PetscErrorCode TestMisfit(const char folder[])
{
  const char *const train = "-1 1:1 3:2\n1 2:1\n1 1:1 4:1\n-1 3:1\n";
  const char *const other = "1 2:3 5:1\n7 1:1\n-1 4:1 5:2 6:3\n1\n2.5 9:1\n";
  const char *const wanted = "1 1:3\n7 0:1\n-1 3:1\n1\n2.5\n"; /* columns from 0 */
  char path[PETSC_MAX_PATH_LEN], *text;
  DataSet set[2], like;
  DataSetMisfit m;
  PetscInt p, c;
  const PetscReal *value;

  PetscFunctionBegin;
  for (int k = 0; k < 2; k++) {
    PetscCall(TextWrite(folder, k ? "other.svm" : "train.svm", k ? other : train, path));
    PetscCall(DataSetCreate(TEST_COMM, &set[k]));
    PetscCall(DataSetLoad(set[k], path));
  }
  PetscCall(DataSetCreateLike(set[0], &like));
  PetscCall(DataSetConform(set[1], like, &m));
  CHECK(m.features == 5 && m.entries == 4 && m.samples == 3 && m.unlabelled == 2, "misfit %d %d %d %d",
        (int)m.features, (int)m.entries, (int)m.samples, (int)m.unlabelled);
  PetscCall(DataSetGetSizes(set[1], NULL, &p, &c));
  PetscCall(DataSetGetClasses(set[1], &value, NULL));
  CHECK(p == 4 && c == 4 && value[0] == -1 && value[1] == 1, "%d features, %d classes", (int)p, (int)c);
  PetscCall(DataSetText(set[1], &text));
  CHECK(!strcmp(text, wanted), "after conforming:\n%s", text);
  PetscCall(PetscFree(text));
  for (int k = 0; k < 2; k++) PetscCall(DataSetDestroy(&set[k]));
  PetscCall(DataSetDestroy(&like));
  PetscFunctionReturn(0);
}

/* A set whose width is fixed must have the model's. */
static PetscErrorCode TestWidth(void)
{
  const Synthetic s = {.n = {6, 6, 6}, .p = 4, .c = 2, .density = 1, .seed = 3};
  Synthetic narrow = s, wide = s;
  BLP blp;
  DataSet ds;

  PetscFunctionBegin;
  narrow.p = 3;
  wide.p = 5;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &s, &blp));
  PetscCall(SyntheticDataSet(TEST_COMM, &narrow, 2, &ds));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "has 3 features, the model has 4", BLPAdoptDataSet(blp, ds, NULL));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(SyntheticDataSet(TEST_COMM, &wide, 2, &ds));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "has 5 features, the model has 4", BLPAdoptDataSet(blp, ds, NULL));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ scaling and unknown labels through a
 * file */

static PetscErrorCode TestScaled(const char folder[])
{
  const char *const train = "-1 1:1 3:2\n1 2:1 3:5\n1 1:1 4:1\n-1 3:1\n", *const test =
                                                                              "1 1:2 3:1\n-1 2:1\n9 4:3\n";
  const char *const known = "1 1:2 3:1\n-1 2:1\n";
  char path[4][PETSC_MAX_PATH_LEN], options[4 * PETSC_MAX_PATH_LEN];
  PetscOptions pushed;
  BLP blp, model;
  Vec lambda, w, P;
  DataSet ds;
  DataSetMisfit misfit;
  BLPMetrics wanted, m;

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "train.svm", train, path[0]));
  PetscCall(TextWrite(folder, "known.svm", known, path[1]));
  PetscCall(TextWrite(folder, "test.svm", test, path[2]));
  PetscCall(PetscSNPrintf(path[3], sizeof(path[3]), "%s/scaled.h5", folder));
  PetscCall(PetscSNPrintf(options, sizeof(options),
                          "-blp_type softmax -blp_train %s -blp_val %s -data_scale standard -blp_bias",
                          path[0], path[1]));
  PetscCall(OptionsUse(options, &pushed));
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetFromOptions(blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(OptionsDrop(&pushed));
  PetscCall(TwofoldVecSetRandomNormal(w, 2));
  PetscCall(BLPEvaluate(blp, BLP_VAL, lambda, w, &wanted));
  PetscCall(Save(blp, lambda, w, path[3]));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(Load(TEST_COMM, path[3], &model, &lambda, &w));
  PetscCall(BLPReadDataSet(model, path[2], &ds, &misfit));
  CHECK(misfit.unlabelled == 1, "%d unknown labels", (int)misfit.unlabelled);
  PetscCall(BLPPredict(model, ds, lambda, w, &P, &m));
  CHECK(m.n == 2, "%d known labels", (int)m.n);
  CHECK_CLOSE(m.loss, wanted.loss, tol, "loss of scaled samples");
  CHECK_CLOSE(m.accuracy, wanted.accuracy, tol, "accuracy of scaled samples");
  PetscCall(VecDestroy(&P));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&model));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ text */

static PetscErrorCode Document(const char folder[], const char name[], const char text[])
{
  char path[PETSC_MAX_PATH_LEN], whole[512];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(whole, sizeof(whole), "Header: x\n\n%s\n", text));
  PetscCall(TextWrite(folder, name, whole, path));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeFolder(const char folder[], const char name[])
{
  char path[PETSC_MAX_PATH_LEN];
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s", folder, name));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) PetscCall(PetscMkdir(path));
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscFunctionReturn(0);
}

/* A corpus of two parts; words of the second that the first does not have, a document of such words alone,
   and a token of 40 letters. */
static PetscErrorCode MakeCorpus(const char folder[])
{
  const char *const folders[] = {"c",        "c/d-train",    "c/d-train/hot", "c/d-train/cold",
                                 "c/d-test", "c/d-test/hot", "c/d-test/cold", "plain"};

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) PetscCall(MakeFolder(folder, folders[i]));
  PetscCall(Document(folder, "c/d-train/hot/1", "sun sun fire desert"));
  PetscCall(Document(folder, "c/d-train/hot/2", "fire summer abcdefghijabcdefghijabcdefghijabcdefghij"));
  PetscCall(Document(folder, "c/d-train/cold/1", "snow ice winter sun"));
  PetscCall(Document(folder, "c/d-train/cold/2", "ice ice snow"));
  PetscCall(Document(folder, "c/d-test/hot/1", "sun summer volcano fire fire"));
  PetscCall(Document(folder, "c/d-test/cold/1", "penguin glacier"));
  PetscCall(
      Document(folder, "c/d-test/cold/2", "winter penguin ice abcdefghijabcdefghijabcdefghijabcdefghij"));
  PetscCall(Document(folder, "plain/a", "sun summer volcano fire fire"));
  PetscCall(Document(folder, "plain/b", "winter penguin ice abcdefghijabcdefghijabcdefghijabcdefghij"));
  PetscFunctionReturn(0);
}

/* The corpus' test part, as it was read with the training part, against the folder read by the model. */
static PetscErrorCode TestText(const char folder[], const char weight[])
{
  char path[PETSC_MAX_PATH_LEN], options[2 * PETSC_MAX_PATH_LEN], *as_split, *as_read;
  PetscOptions pushed;
  BLP blp, model;
  Vec lambda, w;
  DataSet all, part[3], ds, other;
  DataSetMisfit misfit;
  DataSetSplitRule rule = {.kind = "bydate"};
  const char *names;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(options, sizeof(options), "-blp_data %s/c -blp_split bydate -text_weight %s",
                          folder, weight));
  PetscCall(OptionsUse(options, &pushed));
  PetscCall(DataSetCreate(TEST_COMM, &all));
  PetscCall(DataSetSetFromOptions(all));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/c", folder));
  PetscCall(DataSetLoad(all, path));
  PetscCall(DataSetSplit(all, &rule, part));
  PetscCall(DataSetText(part[1], &as_split));
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetFromOptions(blp));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(OptionsDrop(&pushed));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/text-%s.h5", folder, weight));
  PetscCall(Save(blp, lambda, w, path));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(Load(TEST_COMM, path, &model, &lambda, &w));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/c/d-test", folder));
  PetscCall(BLPReadDataSet(model, path, &ds, &misfit));
  CHECK(!misfit.entries && !misfit.unlabelled, "a misfit of text");
  PetscCall(DataSetText(ds, &as_read));
  CHECK(!strcmp(as_split, as_read), "%s: the test folder is\n%snot\n%s", weight, as_read, as_split);
  PetscCall(PetscFree(as_read));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/plain", folder));
  PetscCall(BLPReadDataSet(model, path, &ds, &misfit));
  CHECK(misfit.unlabelled == 2, "%d documents without a class", (int)misfit.unlabelled);
  PetscCall(DataSetGetNames(ds, &names));
  PetscCall(GatherText(TEST_COMM, names ? names : "", &as_read)); /* one document a rank at most, or rank 0 */
  CHECK(as_read[0] == 'a', "the first document is '%s'", as_read);
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "has no class folders", DataSetLoad(all, path));
  PetscCall(DataSetCreate(TEST_COMM, &other));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/c/d-test", folder));
  PetscCall(DataSetLoad(other, path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "vocabulary of its own", BLPAdoptDataSet(model, other, NULL));
  PetscCall(PetscFree(as_read));
  PetscCall(PetscFree(as_split));
  for (int k = 0; k < 3; k++) PetscCall(DataSetDestroy(&part[k]));
  PetscCall(DataSetDestroy(&all));
  PetscCall(DataSetDestroy(&other));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&model));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ files that are no model */

static PetscErrorCode TestRefusals(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN];
  PetscViewer viewer;
  BLP blp;
  Vec x;

  PetscFunctionBegin;
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/none.h5", folder));
  CHECK_SAYS(PETSC_ERR_FILE_OPEN, "none.h5", BLPLoadModel(blp, path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "is a folder", BLPLoadModel(blp, folder));
  PetscCall(TextWrite(folder, "text.h5", "text", path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "not an HDF5 file", BLPLoadModel(blp, path));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/vec.h5", folder));
  PetscCall(VecCreateMPI(TEST_COMM, PETSC_DECIDE, 5, &x));
  PetscCall(PetscObjectSetName((PetscObject)x, "w"));
  PetscCall(PetscViewerHDF5Open(TEST_COMM, path, FILE_MODE_WRITE, &viewer));
  PetscCall(VecView(x, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(VecDestroy(&x));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "is not a model", BLPLoadModel(blp, path));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic plain = {.n = {9, 6, 23}, .p = 17, .c = 3, .density = 0.5, .seed = 1};
  const Synthetic bias = {.n = {9, 6, 23}, .p = 17, .c = 5, .density = 0.5, .bias = PETSC_TRUE, .seed = 2};
  const Synthetic tiny = {.n = {4, 3, 2}, .p = 2, .c = 2, .density = 1, .bias = PETSC_TRUE, .seed = 3};
  char folder[PETSC_MAX_PATH_LEN];

  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(TestPredict(&plain, folder));
  PetscCall(TestPredict(&bias, folder));
  PetscCall(TestPredict(&tiny, folder));
  PetscCall(TestMisfit(folder));
  PetscCall(TestWidth());
  PetscCall(TestScaled(folder));
  PetscCall(MakeCorpus(folder));
  PetscCall(TestText(folder, "count"));
  PetscCall(TestText(folder, "tfidf"));
  PetscCall(TestRefusals(folder));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
