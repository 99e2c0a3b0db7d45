/* IDX images and labels, plain and compressed, and every way in which they can be broken. */
#include "files.h"
#include <zlib.h>
#include <twofold/impl/datasetimpl.h>

typedef struct {
  unsigned char *byte;
  size_t n;
} Bytes;

/* An IDX file: magic number, sizes, and bytes that are mostly zero. */
static PetscErrorCode Make(int ndims, const unsigned dim[], Bytes *b)
{
  size_t total = 1;

  PetscFunctionBegin;
  for (int i = 0; i < ndims; i++) total *= dim[i];
  b->n = 4 + 4 * (size_t)ndims + total;
  PetscCall(PetscCalloc1(b->n, &b->byte));
  b->byte[2] = 8;
  b->byte[3] = (unsigned char)ndims;
  for (int i = 0; i < ndims; i++)
    for (int k = 0; k < 4; k++) b->byte[4 + 4 * i + k] = (unsigned char)(dim[i] >> (24 - 8 * k));
  for (size_t i = 0; i < total; i++) {
    const uint64_t bits = (uint64_t)TwofoldRandomBits(7, (PetscInt64)i);
    b->byte[4 + 4 * (size_t)ndims + i] = ndims == 1 ? (unsigned char)(bits % 4 + 252 * (bits >> 63))
                                         : bits % 3 ? 0
                                                    : (unsigned char)(bits >> 8);
  }
  PetscFunctionReturn(0);
}

/* Writes the bytes as they are, or compressed. */
static PetscErrorCode Put(const char folder[], const char name[], const Bytes b, PetscBool compressed,
                          char path[PETSC_MAX_PATH_LEN])
{
  PetscMPIInt rank;
  int good = 1;

  PetscFunctionBegin;
  if (!compressed) {
    PetscCall(FileWrite(folder, name, b.byte, b.n, path));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscSNPrintf(path, PETSC_MAX_PATH_LEN, "%s/%s", folder, name));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank == 0) {
    gzFile file = gzopen(path, "wb1");
    good = file && gzwrite(file, b.byte, (unsigned)b.n) == (int)b.n;
    if (file && gzclose(file) != Z_OK) good = 0;
  }
  CHECK(good, "cannot write %s", path);
  PetscFunctionReturn(0);
}

/* Every rank's rows are those of the bytes. */
static PetscErrorCode Compare(DataSet ds, const Bytes images, size_t header, const Bytes labels)
{
  const PetscInt *rowptr, *col, *label;
  const PetscScalar *val;
  const PetscReal *value;
  PetscInt n, bad = -1;

  PetscFunctionBegin;
  PetscCall(DataSetGetRows(ds, &n, &rowptr, &col, &val, &label));
  PetscCall(DataSetGetClasses(ds, &value, NULL));
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt64 row = ds->rows->rstart + i;
    PetscInt k = rowptr[i];
    for (PetscInt j = 0; j < ds->p; j++) {
      const int pixel = images.byte[header + (size_t)(row * ds->p + j)];
      if (!pixel) continue;
      if (k >= rowptr[i + 1] || col[k] != j || PetscRealPart(val[k]) != pixel / 255.0) bad = i;
      k++;
    }
    if (k != rowptr[i + 1] || value[label[i]] != labels.byte[8 + row]) bad = i;
  }
  CHECK(bad < 0, "row %d is wrong", (int)bad);
  PetscFunctionReturn(0);
}

static PetscErrorCode Load(const char path[], const char labels[], DataSet *ds)
{
  PetscFunctionBegin;
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetFormat(*ds, DATASETIDX));
  PetscCall(PetscStrncpy((*ds)->labels_path, labels, sizeof((*ds)->labels_path)));
  PetscCall(DataSetLoad(*ds, path));
  PetscFunctionReturn(0);
}

/* Reads a pair in all four combinations of plain and compressed. */
static PetscErrorCode ReadBack(const char folder[], int ndims, const unsigned dim[])
{
  char path[PETSC_MAX_PATH_LEN], labels_path[PETSC_MAX_PATH_LEN];
  PetscInt n, p;
  Bytes images, labels;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(Make(ndims, dim, &images));
  PetscCall(Make(1, dim, &labels));
  for (int k = 0; k < 4; k++) {
    PetscCall(Put(folder, "t10k-labels-idx1-ubyte", labels, (PetscBool)(k / 2), labels_path));
    PetscCall(Put(folder, "t10k-images-idx3-ubyte", images, (PetscBool)(k % 2), path));
    PetscCallMPI(MPI_Barrier(TEST_COMM));
    PetscCall(Load(path, "", &ds));
    PetscCall(DataSetGetSizes(ds, &n, &p, NULL));
    CHECK(n == (PetscInt)dim[0] && ds->fixed_width, "n %d instead of %u", (int)n, dim[0]);
    CHECK(p == (PetscInt)(dim[1] * (ndims > 2 ? dim[2] : 1)), "%d features", (int)p);
    PetscCall(Compare(ds, images, 4 + 4 * (size_t)ndims, labels));
    PetscCall(DataSetDestroy(&ds));
    PetscCallMPI(MPI_Barrier(TEST_COMM));
  }
  PetscCall(PetscFree(images.byte));
  PetscCall(PetscFree(labels.byte));
  PetscFunctionReturn(0);
}

/* Samples of 600 x 700 bytes that are read in several blocks a rank, of 4 MB each, on up to three ranks; with
   more of them, two blocks in all. */
static unsigned ManyRows(void)
{
  PetscMPIInt size = 1;

  MPI_Comm_size(TEST_COMM, &size);
  return size <= 3 ? 10 * (unsigned)size + 1 : 11;
}

static PetscErrorCode Good(const char folder[])
{
  PetscFunctionBegin;
  PetscCall(ReadBack(folder, 3, (const unsigned[]){5, 2, 3}));
  PetscCall(ReadBack(folder, 2, (const unsigned[]){20, 7}));
  PetscCall(ReadBack(folder, 3, (const unsigned[]){1, 1, 1}));
  PetscCall(ReadBack(folder, 3, (const unsigned[]){ManyRows(), 600, 700}));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ errors */

/* Files of folder/bad-images... and ...labels..., replaced one at a time. */
typedef struct {
  const char *folder;
  Bytes images, labels;
  PetscBool compressed;
  char path[PETSC_MAX_PATH_LEN], labels_path[PETSC_MAX_PATH_LEN];
} Case;

static PetscErrorCode Refuse(Case *t, const Bytes images, const Bytes labels, const char says[])
{
  DataSet ds;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  PetscCall(Put(t->folder, "bad-images", images, t->compressed, t->path));
  PetscCall(Put(t->folder, "bad-labels", labels, t->compressed, t->labels_path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, says, Load(t->path, "", &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* The images file with one byte changed. */
static PetscErrorCode Change(Case *t, size_t at, int value, const char says[])
{
  const unsigned char before = t->images.byte[at];

  PetscFunctionBegin;
  t->images.byte[at] = (unsigned char)value;
  PetscCall(Refuse(t, t->images, t->labels, says));
  t->images.byte[at] = before;
  PetscFunctionReturn(0);
}

static PetscErrorCode Broken(const char folder[], PetscBool compressed)
{
  const char *const size = compressed ? "" : "where its header promises";
  Case t = {.folder = folder, .compressed = compressed};
  Bytes other;

  PetscFunctionBegin;
  PetscCall(Make(3, (const unsigned[]){6, 4, 5}, &t.images));
  PetscCall(Make(1, (const unsigned[]){6}, &t.labels));
  PetscCall(Change(&t, 2, 0x0d, "begins with 0x00000d03"));
  PetscCall(Change(&t, 3, 1, "begins with 0x00000801"));
  PetscCall(Change(&t, 3, 4, "begins with 0x00000804"));
  PetscCall(Change(&t, 7, 0, "holds no samples"));
  PetscCall(Change(&t, 7, 5, compressed ? "5 images, but" : size));
  PetscCall(Change(&t, 11, 0, "6 samples of 0 x 5 bytes"));
  PetscCall(Change(&t, 8, 0xff, "the file is damaged"));
  PetscCall(Change(&t, 5, 0xff, compressed ? "cannot hold" : size));
  PetscCall(Change(&t, 15, 4, compressed ? "goes on behind the 112 bytes" : size));
  PetscCall(Change(&t, 15, 6, compressed ? "ends after 136 bytes" : size));
  for (size_t n = 0; n < t.images.n; n += n < 20 ? 3 : 59)
    PetscCall(Refuse(&t, (Bytes){t.images.byte, n}, t.labels, "bad-images"));
  for (size_t n = 0; n < t.labels.n; n += 3)
    PetscCall(Refuse(&t, t.images, (Bytes){t.labels.byte, n}, "bad-labels"));
  PetscCall(Refuse(&t, t.labels, t.images, "bad-images begins with 0x00000801"));
  PetscCall(Refuse(&t, t.images, t.images, "bad-labels begins with 0x00000803"));
  PetscCall(Make(1, (const unsigned[]){7}, &other));
  PetscCall(Refuse(&t, t.images, other, "6 images, but"));
  PetscCall(PetscFree(other.byte));
  PetscCall(PetscFree(t.images.byte));
  PetscCall(PetscFree(t.labels.byte));
  PetscFunctionReturn(0);
}

/* Reads the pair; only PETSC_ERR_FILE_UNEXPECTED or success will do. */
static PetscErrorCode Try(const char path[], const char labels[], PetscBool *refused)
{
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  const int raised = (int)Load(path, labels, &ds);
  PetscCall(PetscPopErrorHandler());
  CHECK(!raised || raised == PETSC_ERR_FILE_UNEXPECTED, "raised %d", raised);
  PetscCall(DataSetDestroy(&ds));
  *refused = (PetscBool)(raised != 0);
  PetscFunctionReturn(0);
}

/* A gzip file cut short anywhere, or with a bit of its data turned over. */
static PetscErrorCode BrokenStream(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN], labels[PETSC_MAX_PATH_LEN], *gzip;
  Bytes images, few;
  PetscBool refused;
  size_t n = 0;

  PetscFunctionBegin;
  PetscCall(Make(3, (const unsigned[]){40, 10, 10}, &images));
  PetscCall(Make(1, (const unsigned[]){40}, &few));
  PetscCall(Put(folder, "labels", few, PETSC_FALSE, labels));
  PetscCall(Put(folder, "images.gz", images, PETSC_TRUE, path));
  PetscCall(FileRead(path, &gzip, &n));
  for (size_t cut = 2; cut < n; cut += cut < 12 ? 3 : cut + 12 > n ? 2 : 397) {
    PetscCallMPI(MPI_Barrier(TEST_COMM));
    PetscCall(FileWrite(folder, "images.gz", gzip, cut, path));
    PetscCall(Try(path, labels, &refused));
    CHECK(refused, "%d of %d bytes are enough", (int)cut, (int)n);
  }
  for (size_t at = 10; at < n; at += 197) { /* behind gzip's own header */
    PetscCallMPI(MPI_Barrier(TEST_COMM));
    gzip[at] ^= 4;
    PetscCall(FileWrite(folder, "images.gz", gzip, n, path));
    PetscCall(Try(path, labels, &refused));
    CHECK(refused, "damage at byte %d is not seen", (int)at);
    gzip[at] ^= 4;
  }
  PetscCall(PetscFree(gzip));
  PetscCall(PetscFree(images.byte));
  PetscCall(PetscFree(few.byte));
  PetscFunctionReturn(0);
}

/* A file of several blocks a rank that ends in the middle: every rank must stop waiting. */
static PetscErrorCode BrokenBlocks(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN], labels[PETSC_MAX_PATH_LEN], *gzip;
  Bytes images, few;
  PetscBool refused;
  size_t n = 0;

  PetscFunctionBegin;
  PetscCall(Make(3, (const unsigned[]){ManyRows(), 600, 700}, &images));
  PetscCall(Make(1, (const unsigned[]){ManyRows()}, &few));
  PetscCall(Put(folder, "labels", few, PETSC_FALSE, labels));
  PetscCall(Put(folder, "images.gz", images, PETSC_TRUE, path));
  PetscCall(FileRead(path, &gzip, &n));
  for (size_t tenths = 1; tenths < 10; tenths += 2) {
    PetscCallMPI(MPI_Barrier(TEST_COMM));
    PetscCall(FileWrite(folder, "images.gz", gzip, n * tenths / 10, path));
    PetscCall(Try(path, labels, &refused));
    CHECK(refused, "%d tenths are enough", (int)tenths);
  }
  PetscCall(PetscFree(gzip));
  PetscCall(PetscFree(images.byte));
  PetscCall(PetscFree(few.byte));
  PetscFunctionReturn(0);
}

/* Which labels file belongs to an images file. */
static PetscErrorCode Names(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN], labels_path[PETSC_MAX_PATH_LEN];
  Bytes images, labels;
  PetscBool refused;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(Make(3, (const unsigned[]){3, 2, 2}, &images));
  PetscCall(Make(1, (const unsigned[]){3}, &labels));
  PetscCall(Put(folder, "pictures", images, PETSC_FALSE, path));
  PetscCall(Put(folder, "marks", labels, PETSC_TRUE, labels_path));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "-data_labels", Load(path, "", &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(Try(path, labels_path, &refused));
  CHECK(!refused, "labels file given by name");
  PetscCall(Put(folder, "a-images.idx3", images, PETSC_FALSE, path));
  CHECK_SAYS(PETSC_ERR_FILE_OPEN, "a-labels.idx1", Load(path, "", &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(Put(folder, "a-labels.idx1", labels, PETSC_FALSE, labels_path));
  PetscCall(Try(path, "", &refused));
  CHECK(!refused, "labels file by the rule");
  PetscCall(PetscFree(images.byte));
  PetscCall(PetscFree(labels.byte));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(Good(folder));
  PetscCall(Broken(folder, PETSC_FALSE));
  PetscCall(Broken(folder, PETSC_TRUE));
  PetscCall(BrokenStream(folder));
  PetscCall(BrokenBlocks(folder));
  PetscCall(Names(folder));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
